import type { StreamEventBody, Timings } from '@ziggie/llm-protocol';

/** Milliseconds to a thousandth: finer is noise. */
export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** How long each phase lasted as seen from here, for servers that do not say. */
export class PhaseStopwatch {
  #phase: 'queueMs' | 'loadMs' | undefined;
  #since = 0;
  readonly #spans: Timings = {};
  /** From the call to the first piece of the answer. */
  ttftMs: number | undefined;

  saw(type: StreamEventBody['type'], atMs: number): void {
    const phase = type === 'queued' ? 'queueMs' : type === 'loading' ? 'loadMs' : undefined;
    if (phase !== this.#phase) {
      if (this.#phase) this.#spans[this.#phase] = (this.#spans[this.#phase] ?? 0) + atMs - this.#since;
      this.#phase = phase;
      this.#since = atMs;
    }
    if (type === 'text-delta' || type === 'thinking-delta' || type === 'tool-call') this.ttftMs ??= atMs;
  }

  /** @param totalMs From the call to its end. */
  timings(totalMs: number): Timings {
    const { ttftMs } = this;
    return {
      ...this.#spans,
      ...(ttftMs === undefined ? {} : { ttftMs, decodeMs: rounded(totalMs - ttftMs) }),
      totalMs,
    };
  }
}
