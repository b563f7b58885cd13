import { createManualClock, fault } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { onTestFinished } from 'vitest';
import {
  type ChatEvent,
  type ChatResult,
  type ClientOptions,
  createClient,
  isZiggieError,
  type ZiggieError,
} from '../../src/index.ts';

/** A wire that the stand-in and the client both speak. */
export type Wire = 'NDJSON' | 'SSE';

/** How a faulty answer ended for who asked. */
export interface Outcome {
  result?: ChatResult | undefined;
  error?: ZiggieError | undefined;
  /** Text that was shown before the end. */
  shown: string;
  /** Requests that the stand-in saw. */
  requests: number;
  /** By the clock of both sides. */
  elapsedMs: number;
  /** What the console heard, and promises that nobody caught. */
  noise: unknown[];
  /** Timers of the client and answers of the stand-in that are left a second after the end. */
  left: number;
}

/** Lets what is on its way over the sockets arrive. */
const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/**
 * Plays a fault to a client over a real socket, time and again if asked for: both sides share a clock that runs as soon
 * as nothing happens.
 */
export async function play(
  id: string,
  variant: string,
  wire: Wire,
  { times = Number.POSITIVE_INFINITY, ...options }: Partial<ClientOptions> & { times?: number } = {},
): Promise<Outcome> {
  const clock = createManualClock();
  const server = await startFakeOllama({ tokensPerSecond: Infinity, clock });
  onTestFinished(() => server.close());
  server.fake.script(fault(id, variant), { times });
  const noise: unknown[] = [];
  const restore = listen(noise);
  const client = createClient({
    baseUrl: server.url,
    target: wire === 'SSE' ? 'openai' : 'ollama',
    clock,
    random: () => 0.5,
    ...options,
  });
  let shown = '';
  const stream = client.chat({ model: 'stand-in', messages: [{ role: 'user', content: 'What is it?' }] });
  let over = false;
  const reading = (async () => {
    for await (const event of stream as AsyncIterable<ChatEvent>)
      if (event.type === 'text-delta') shown += event.text;
    return stream.final();
  })().finally(() => {
    over = true;
  });
  reading.catch(() => {});
  for (let stepMs = 1; !over; stepMs = Math.min(stepMs * 2, 4_000)) {
    await breathe();
    await clock.advance(stepMs);
  }
  const outcome: Outcome = {
    shown,
    requests: server.fake.report().requests.length,
    elapsedMs: clock.now(),
    noise,
    left: 0,
  };
  try {
    outcome.result = await reading;
  } catch (error) {
    if (!isZiggieError(error)) throw error;
    outcome.error = error;
  }
  for (let round = 0; round < 8; round++) {
    await breathe();
    await clock.advance(250);
  }
  outcome.left = server.fake.report().openGenerations + server.fake.report().waiting;
  restore();
  return outcome;
}

function listen(noise: unknown[]): () => void {
  const hear = (reason: unknown): void => void noise.push(reason);
  process.on('unhandledRejection', hear);
  const levels = ['log', 'info', 'warn', 'error'] as const;
  const before = levels.map((level) => console[level]);
  for (const level of levels) console[level] = (...words: unknown[]) => void noise.push(words);
  return () => {
    process.off('unhandledRejection', hear);
    for (const [index, level] of levels.entries()) console[level] = before[index] as typeof console.log;
  };
}
