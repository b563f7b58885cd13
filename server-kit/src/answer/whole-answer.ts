import type { StreamEventBody, ToolCallEvent, UsageEvent } from '@ziggie/llm-protocol';
import type { WholeAnswer } from '../surfaces/surface.ts';
import { upstreamFailure } from '../upstream/failures.ts';

/** Where the events of an answer come from: a run, or the log of one. */
export interface WholeSource {
  /** The next events, maybe none; waits for them where they are not here. Throws or rejects with a `KitFailure`. */
  next(): readonly StreamEventBody[] | Promise<readonly StreamEventBody[]>;
  /** Whether nothing more will come. */
  readonly ended: boolean;
}

/**
 * Reads an answer to its end.
 *
 * @throws {KitFailure} when the run fails; nothing partial is ever given.
 */
export async function wholeAnswer(source: WholeSource): Promise<WholeAnswer> {
  let text = '';
  let thinking = '';
  const toolCalls: ToolCallEvent[] = [];
  let usage: UsageEvent | undefined;
  for (;;) {
    const next = source.next();
    for (const event of next instanceof Promise ? await next : next) {
      if (event.type === 'text-delta') text += event.text;
      else if (event.type === 'thinking-delta') thinking += event.text;
      else if (event.type === 'tool-call') toolCalls.push(event);
      else if (event.type === 'usage') usage = event;
      else if (event.type === 'done') {
        return { text, thinking, toolCalls, usage, done: event };
      }
    }
    if (source.ended) throw upstreamFailure('truncated', 'ended without a last record');
  }
}
