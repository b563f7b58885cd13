import type { StreamEventBody } from '@ziggie/llm-protocol';

/** About what an event with its members takes in memory, in bytes, beside its text. */
const eventBytes = 96;

/** What an event takes in memory, in bytes, as far as a bound needs to know. */
export function sizeOfEvent(event: StreamEventBody): number {
  switch (event.type) {
    case 'text-delta':
    case 'thinking-delta':
      return eventBytes + 2 * event.text.length;
    case 'tool-call':
      return eventBytes + 2 * JSON.stringify(event.arguments).length;
    default:
      return 4 * eventBytes;
  }
}
