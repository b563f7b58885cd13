import { setTimeout as pause } from 'node:timers/promises';
import { createClient, isZiggieError, type Recovery, type ZiggieClient } from '@ziggie/llm-client';
import { maxTokens } from './plan.ts';
import { Tally } from './tally.ts';

/** Whom the users ask, and for what. */
export interface TrafficOptions {
  baseUrl: string;
  fetch: typeof fetch;
  models: readonly string[];
  tokenFor(subject: string): Promise<string>;
  /** What a client does when an answer breaks off in the middle. Default: `throw`, so that each break is seen. */
  recovery?: Recovery | undefined;
}

const questions = [
  'Explain how a queue can be fair.',
  'Compare a heap with a sorted list.',
  'Write a function that reverses a string.',
  'What should I check before I deploy?',
  'How does a circuit breaker work?',
];

/** People who ask one question after another, each with a pause to read. */
export class Traffic {
  readonly tally = new Tally();
  readonly #options: TrafficOptions;
  #leaving: AbortController | undefined;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#leaving !== undefined;
  }

  start(users: number): void {
    if (this.#leaving !== undefined) return;
    this.#leaving = new AbortController();
    for (let number = 1; number <= users; number++) {
      void this.#live(`user-${number}`, this.#leaving.signal);
    }
  }

  /** Everybody leaves, in the middle of their answers too. */
  stop(): void {
    this.#leaving?.abort();
    this.#leaving = undefined;
  }

  async #live(subject: string, signal: AbortSignal): Promise<void> {
    const { baseUrl, fetch, tokenFor, models, recovery } = this.#options;
    const client = createClient({ baseUrl, fetch, recovery, credentials: () => tokenFor(subject) });
    while (!signal.aborted) {
      await this.#ask(client, pick(models), signal);
      await pause(200 + Math.random() * 800, undefined, { signal }).catch(() => {});
    }
  }

  async #ask(client: ZiggieClient, model: string, signal: AbortSignal): Promise<void> {
    this.tally.asked();
    const askedAt = Date.now();
    let hasToken = false;
    const stream = client.chat(
      { model, messages: [{ role: 'user', content: pick(questions) }], options: { num_predict: maxTokens } },
      { signal },
    );
    try {
      for await (const event of stream) {
        if (event.type !== 'text-delta' && event.type !== 'thinking-delta') continue;
        if (!hasToken) this.tally.firstToken(Date.now() - askedAt);
        hasToken = true;
        this.tally.token();
      }
      this.tally.whole((await stream.final()).attempts.length);
    } catch (error) {
      if (!signal.aborted) this.tally.failed(isZiggieError(error) ? error.code : 'unknown', hasToken);
    }
  }
}

function pick<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)] as T;
}
