import { MAX_JSON_DEPTH, parseJson } from '@ziggie/llm-protocol';
import { mergeRecords } from '../merge.ts';
import { parseRecord } from '../record.ts';
import { ConversationStorageError } from '../storage-error.ts';
import type { ConversationRecord } from '../storage-port.ts';

// A record wraps what came over the wire (arguments of tool calls) in a few levels of its own.
const MAX_RECORD_DEPTH = MAX_JSON_DEPTH + 8;

/** A record from its text. @throws {ConversationStorageError} when it cannot be read. */
export function readText(text: string, id: string): ConversationRecord {
  let value: unknown;
  try {
    value = parseJson(text, MAX_RECORD_DEPTH);
  } catch (cause) {
    throw new ConversationStorageError(
      'corrupt_record',
      'Reading a saved conversation: it is not valid JSON. The record was left as it is.',
      { cause },
    );
  }
  return parseRecord(value, id);
}

/**
 * What must be written so that nothing is lost of what two tabs wrote; `undefined` when nothing is missing.
 *
 * Every process of a browser has its own copy of `localStorage`, and they agree late: tabs that save within the same few
 * milliseconds do not read each other's text, and the last one stays. No lock orders that (measured in Chromium: with
 * `navigator.locks` around reading and writing 3 to 16 of 100 such saves were still lost), but each tab is told what the
 * other one wrote. Whoever overwrote it, or was overwritten, puts both together; what is complete is left alone, so that
 * two tabs do not answer each other without end.
 *
 * @param now What stands there. @param theirs What the other tab wrote. @param own What this one wrote last.
 * @throws {ConversationStorageError} when one of them cannot be read.
 */
export function mendedText(id: string, now: string, theirs: string, own: string): string | undefined {
  const found = readText(now, id);
  // In the form that merging gives.
  const kept = mergeRecords(found, found);
  const text = JSON.stringify(mergeRecords(mergeRecords(kept, readText(theirs, id)), readText(own, id)));
  return text === JSON.stringify(kept) ? undefined : text;
}
