import type { ChatRequest } from '@ziggie/llm-protocol';
import { AbortedError } from '../../src/errors/aborted-error.ts';
import type { CallOptions, ChatEvent, ChatStream, ZiggieClient } from '../../src/types.ts';

/** One stream of a scripted client: the test says what comes and when. */
export interface ScriptedRun {
  readonly request: ChatRequest;
  /** Neither ended, failed, aborted nor left. */
  readonly open: boolean;
  /** Hands out events; the reader gets them in the same task. Nothing comes after the end. */
  emit(...events: ChatEvent[]): void;
  end(): void;
  fail(error: unknown): void;
}

/** A client under the test's control: for orders of events that a socket would not give reliably. */
export interface ScriptedClient extends ZiggieClient {
  readonly runs: readonly ScriptedRun[];
  /** The newest run. */
  last(): ScriptedRun;
}

export function createScriptedClient(): ScriptedClient {
  const runs: ScriptedRun[] = [];
  const chat = (request: ChatRequest, options: CallOptions = {}): ChatStream => {
    const run = new Stream(request);
    runs.push(run);
    const { signal } = options;
    const abort = (): void => run.fail(new AbortedError(signal?.reason));
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    return run;
  };
  const unused = (): never => {
    throw new Error('A conversation has no use for this.');
  };
  return {
    target: 'kit',
    baseUrl: 'http://scripted',
    runs,
    last: () => runs.at(-1) ?? unused(),
    chat,
    generate: unused,
    models: { list: unused },
    status: unused,
    embed: unused,
    version: unused,
  };
}

class Stream implements ChatStream, ScriptedRun {
  readonly request: ChatRequest;
  readonly #events: ChatEvent[] = [];
  #over: { error: unknown } | 'ended' | null = null;
  #wake: (() => void) | null = null;

  constructor(request: ChatRequest) {
    this.request = request;
  }

  get open(): boolean {
    return this.#over === null;
  }

  emit(...events: ChatEvent[]): void {
    if (this.#over !== null) return;
    this.#events.push(...events);
    this.#wake?.();
  }

  end(): void {
    this.#over ??= 'ended';
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#over ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChatEvent, void, undefined> {
    try {
      for (;;) {
        // Events that came before an end are handed out before it.
        for (let event = this.#events.shift(); event; event = this.#events.shift()) yield event;
        if (this.#over === 'ended') return;
        if (this.#over !== null) throw this.#over.error;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.#over ??= 'ended';
    }
  }

  text(): Promise<string> {
    throw new Error('A conversation reads events.');
  }

  final(): Promise<never> {
    throw new Error('A conversation reads events.');
  }

  abort(reason?: unknown): void {
    this.fail(new AbortedError(reason));
  }
}
