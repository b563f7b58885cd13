import type { StreamEventBody } from '@ziggie/llm-protocol';

/** A token is seldom longer than this many bytes for a whole answer; runs of spaces are, so some are allowed for. */
const maxBytesPerToken = 16;
const freeBytes = 256;
const bytesPerToken = 4;

/** What an answer has used so far. */
export interface Used {
  inputTokens: number;
  outputTokens: number;
  /** Time of the GPU in ms, as the model server told; `undefined` when it did not. */
  gpuMs: number | undefined;
  /** Whether the model server counted, or we did. */
  isCounted: boolean;
}

/** What is expected of an answer before it is written, in tokens. */
export interface Expected {
  /** Of the input, for when the model server does not count. */
  input: number;
  /** The most that the input can be: a model server that says more is not believed. */
  maxInput: number;
  /** The most that the answer may be; `Infinity` when no quota says. */
  maxOutput: number;
}

/** What counts an answer while it is written, and says when it is longer than it may be. */
export interface AnswerMeter {
  see(event: StreamEventBody): void;
  readonly isOver: boolean;
}

/** Counts an answer while it is written. */
export class Meter implements AnswerMeter {
  readonly #expected: Expected;
  readonly #maxOutput: number;
  /** Called with the first piece. */
  onBegin: (() => void) | undefined;
  #pieces = 0;
  #bytes = 0;
  #counted: { inputTokens: number; outputTokens: number } | undefined;
  #gpuMs: number | undefined;
  #isInputPaid = false;

  constructor(expected: Expected) {
    this.#expected = expected;
    this.#maxOutput = expected.maxOutput;
  }

  /** Somebody else has paid for the reading of this prompt. */
  inputIsPaid(): void {
    this.#isInputPaid = true;
  }

  see(event: StreamEventBody): void {
    switch (event.type) {
      case 'text-delta':
      case 'thinking-delta':
        this.#count(event.text);
        return;
      case 'tool-call':
        this.#count(JSON.stringify(event.arguments));
        return;
      case 'usage':
        // An estimate by the decoder knows less than we do; a count of 0 is one that the server left out.
        if (event.source === 'upstream') this.#counted = event;
        return;
      case 'done': {
        const { loadMs = 0, prefillMs, decodeMs } = event.timings;
        if (prefillMs !== undefined || decodeMs !== undefined) {
          this.#gpuMs = loadMs + (prefillMs ?? 0) + (decodeMs ?? 0);
        }
      }
    }
  }

  /**
   * Whether the answer is longer than it may be. A model server writes at most one piece per token, so one that obeys
   * `num_predict` never gets here.
   */
  get isOver(): boolean {
    if (this.#pieces > this.#maxOutput) return true;
    return Math.ceil((this.#bytes - freeBytes) / maxBytesPerToken) > this.#maxOutput;
  }

  /** Whether the model server wrote anything. */
  get hasBegun(): boolean {
    return this.#pieces > 0 || this.#counted !== undefined;
  }

  /** What has been used, as the model server counted, or as far as we can tell. */
  get used(): Used {
    const guessed = Math.max(this.#pieces, Math.ceil(this.#bytes / bytesPerToken));
    const { inputTokens = 0, outputTokens = 0 } = this.#counted ?? {};
    const { input, maxInput, maxOutput } = this.#expected;
    return {
      inputTokens: this.#isInputPaid ? 0 : Math.min(whole(inputTokens), maxInput) || input,
      // Neither fewer tokens than it wrote pieces is believed, nor more than it was allowed.
      outputTokens: this.#counted
        ? Math.max(Math.min(whole(outputTokens), maxOutput), this.#pieces)
        : guessed,
      gpuMs: this.#gpuMs === undefined ? undefined : whole(this.#gpuMs),
      // Half an answer teaches nothing about whole ones.
      isCounted: this.#counted !== undefined && whole(inputTokens) > 0 && !this.#isInputPaid,
    };
  }

  #count(text: string): void {
    if (this.#pieces++ === 0) this.onBegin?.();
    this.#bytes += text.length;
  }
}

/** A count that lies is no count: never negative, never beyond what numbers hold. */
function whole(value: number): number {
  return Number.isFinite(value) && value > 0 && value < 1e12 ? Math.ceil(value) : 0;
}
