import type { StreamEventBody, UsageEvent } from '@ziggie/llm-protocol';
import { isNamedBy } from '../upstream/model-pattern.ts';
import type { PlaceUpstream } from '../upstreams/places.ts';
import type { UpstreamCall } from '../upstreams/upstream-call.ts';

/** Settings of going on with an answer whose model server has died. */
export interface ContinuationOptions {
  /**
   * Models whose template leaves an assistant's last message open, by name or beginning (`llama3.2*`): there a server goes on
   * where another one stopped. On others it would begin a new message.
   */
  models: readonly string[];
}

/** The request for the rest of an answer; `undefined` where that is not exact. `canThink`: whether the model does so unasked. */
export type RestCall = (text: string, maxTokens: number, canThink: boolean) => UpstreamCall | undefined;

/** What an answer that may be gone on with has said so far. */
export class Continuation {
  readonly #models: readonly string[];
  readonly #callFor: RestCall;
  readonly #maxTokens: number;
  #text = '';
  #pieces = 0;
  /** Pieces of the server that died, which the next one reads instead of writing. */
  #before = 0;
  #isExact = true;

  /** @param maxTokens Of the whole answer. */
  constructor(models: readonly string[], callFor: RestCall, maxTokens: number) {
    this.#models = models;
    this.#callFor = callFor;
    this.#maxTokens = maxTokens;
  }

  /** Keeps what was said. It is the model's own text, before anything that an operator does to it. */
  see(event: StreamEventBody): void {
    if (event.type === 'text-delta') {
      this.#text += event.text;
      this.#pieces++;
    } else if (event.type === 'thinking-delta' || event.type === 'tool-call') this.#isExact = false;
  }

  /** The rest as a request, and which file of the model must write it; `undefined` where it would not be the same answer. */
  rest(upstream: PlaceUpstream, canonical: string): { call: UpstreamCall; digest: string } | undefined {
    const { dialect, catalog } = upstream;
    if (!this.#isExact || this.#text === '' || dialect !== 'ollama') return undefined;
    if (!this.#models.some((pattern) => isNamedBy(pattern, canonical))) return undefined;
    const digest = catalog.fileOf(canonical)?.digest;
    const left = this.#maxTokens - this.#pieces;
    const canThink = catalog.find(canonical)?.capabilities.includes('thinking') ?? true;
    const call = left > 0 ? this.#callFor(this.#text, left, canThink) : undefined;
    if (digest === undefined || call === undefined) return undefined;
    this.#before = this.#pieces;
    return { call, digest };
  }

  /**
   * The counts of both servers together: what the second one was given to read was written by the first. A piece is a token
   * as nearly as can be told, so these are no longer the server's own figures; their sum is.
   */
  addUp(usage: UsageEvent): void {
    if (this.#before === 0) return;
    const written = Math.min(this.#before, usage.inputTokens);
    usage.inputTokens -= written;
    usage.outputTokens += written;
    delete usage.cachedInputTokens;
  }

  /** Whether counts come from more than one server. */
  get isSewn(): boolean {
    return this.#before > 0;
  }
}
