import { isStreamEvent, type StreamEvent } from '@ziggie/llm-protocol';

/** Events that one look into a store outside this process gives at most. */
export const pageEvents = 512;

/** An event that came as text out of a store, which is not believed blindly. @throws {TypeError} when it is none. */
export function storedEvent(text: string): StreamEvent {
  const event: unknown = JSON.parse(text);
  if (!isStreamEvent(event)) throw new TypeError('The store gave no event.');
  return event;
}
