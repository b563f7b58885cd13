import type { ToolCallEvent, UsageEvent } from '@ziggie/llm-protocol';
import type { WholeAnswer } from '../surfaces/surface.ts';
import { upstreamFailure } from '../upstream/failures.ts';
import type { Run } from './run.ts';

/**
 * Reads a run to its end.
 *
 * @throws {KitFailure} when the run fails; nothing partial is ever given.
 */
export async function wholeAnswer(run: Run): Promise<WholeAnswer> {
  const text: string[] = [];
  const thinking: string[] = [];
  const toolCalls: ToolCallEvent[] = [];
  let usage: UsageEvent | undefined;
  for (;;) {
    for (const event of await run.next()) {
      if (event.type === 'text-delta') text.push(event.text);
      else if (event.type === 'thinking-delta') thinking.push(event.text);
      else if (event.type === 'tool-call') toolCalls.push(event);
      else if (event.type === 'usage') usage = event;
      else if (event.type === 'done') {
        return { text: text.join(''), thinking: thinking.join(''), toolCalls, usage, done: event };
      }
    }
    if (run.ended) throw upstreamFailure('truncated', 'ended without a last record');
  }
}
