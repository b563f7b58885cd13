import type { StreamEventBody } from '@ziggie/llm-protocol';
import { ProtocolError, parseJson } from '@ziggie/llm-protocol/native';
import type { AnswerDecoder } from './target.ts';

const text = { text: 'string' };
/** The members that make up the answer, by event, and what they are. */
const members: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = {
  // What a server calls an event is looked up here.
  __proto__: null as never,
  start: { upstreamModel: 'string' },
  queued: {},
  loading: {},
  'text-delta': text,
  'thinking-delta': text,
  'tool-call': { id: 'string', name: 'string', arguments: 'object' },
  usage: { inputTokens: 'number', outputTokens: 'number' },
  error: {},
  done: { finishReason: 'string', timings: 'object' },
};

/**
 * Reads the events of the native wire. The numbers must count up from 0 without gaps, or something between here and the
 * server lost a record. Types that a newer server may send are passed over; the members that make up the answer are
 * checked.
 */
export class KitDecoder implements AnswerDecoder {
  ended = false;
  lastSeq = -1;

  read(record: string, events: StreamEventBody[]): void {
    const seq = this.lastSeq + 1;
    const words = wordsOf(record, seq);
    if (words !== undefined) {
      this.lastSeq = seq;
      events.push({ type: 'text-delta', text: words });
      return;
    }
    const { seq: found, ...event } = (parseJson(record) ?? {}) as { seq?: unknown; type?: unknown };
    if (typeof found !== 'number' || typeof event.type !== 'string')
      throw malformed('a record is not an event');
    if (found !== seq) throw malformed(`event ${seq} is missing, ${found} came`);
    this.lastSeq = seq;
    const wanted = members[event.type];
    if (!wanted) return;
    for (const name in wanted) {
      const value = event[name as keyof typeof event];
      if (typeof value !== wanted[name] || value === null || Array.isArray(value))
        throw malformed(`a member of a ${event.type} event is missing or of another type`);
    }
    this.ended = event.type === 'done' || event.type === 'error';
    events.push(
      (wanted === text ? { type: event.type, text: event['text' as never] } : event) as StreamEventBody,
    );
  }
}

const head = '{"type":"text-delta","text":"';
const tail = '","seq":';

/** The text of the commonest event, as the kit writes it, without parsing: nothing in it needs an escape. */
function wordsOf(record: string, seq: number): string | undefined {
  // `slice` and `===` compare memory at once; `startsWith` goes by character.
  if (record.slice(0, head.length) !== head) return undefined;
  // The number that the record ends with, from behind.
  let at = record.length - 1;
  let left = seq;
  do {
    at--;
    if (record.charCodeAt(at) !== 0x30 + (left % 10)) return undefined;
    left = Math.floor(left / 10);
  } while (left > 0);
  const end = at - tail.length;
  if (end < head.length || record.slice(end, at) !== tail) return undefined;
  if (record.charCodeAt(record.length - 1) !== 0x7d) return undefined;
  // Quotes and escapes are the parser's, and control characters, which JSON forbids. A loop: words are short.
  for (at = head.length; at < end; at++) {
    const unit = record.charCodeAt(at);
    if (unit < 0x20 || unit === 0x22 || unit === 0x5c) return undefined;
  }
  return record.slice(head.length, end);
}

function malformed(found: string): ProtocolError {
  return new ProtocolError('malformed_record', `Reading a stream of the kit: ${found}.`);
}
