import { createClient } from '../src/index.ts';
import type { ChatEvent, ChatResult } from '../src/types.ts';
import { question } from './samples.ts';

/** Asks a client whose `fetch` answers with exactly these chunks; no retries. */
export function askInChunks(
  chunks: readonly Uint8Array[],
  target: 'ollama' | 'openai' | 'kit' = 'ollama',
  contentType = 'application/x-ndjson',
) {
  const fetch = (): Promise<Response> => {
    const left = [...chunks];
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const chunk = left.shift();
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    });
    return Promise.resolve(new Response(body, { headers: { 'Content-Type': contentType } }));
  };
  const client = createClient({ baseUrl: 'http://host', target, fetch, retry: { maxAttempts: 1 } });
  return client.chat(question);
}

/** Every event of an answer; ids of runs and times of this side, which differ between runs, are made equal. */
export async function eventsOf(
  chunks: readonly Uint8Array[],
  target?: 'ollama' | 'openai' | 'kit',
  contentType?: string,
): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const event of askInChunks(chunks, target, contentType)) {
    if (event.type === 'start') events.push({ ...event, id: 'run' });
    else if (event.type === 'done') events.push({ ...event, timings: { ...event.timings, ttftMs: 0 } });
    else events.push(event);
  }
  return events;
}

/** The whole answer. */
export function resultOf(
  chunks: readonly Uint8Array[],
  target?: 'ollama' | 'openai' | 'kit',
): Promise<ChatResult> {
  return askInChunks(chunks, target).final();
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
