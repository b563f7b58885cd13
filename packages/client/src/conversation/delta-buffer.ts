import type { AnswerWritten } from './actions.ts';

/** Collects the pieces of an answer until the next frame, so that n tokens cost n pushes and one join per frame. */
export class DeltaBuffer {
  #id: string | null = null;
  #thinking: string[] = [];
  #text: string[] = [];
  #thinkingAt: number | null = null;
  #textAt: number | null = null;
  #at = 0;

  push(id: string, kind: 'thinking' | 'text', piece: string, at: number): void {
    this.#id = id;
    this.#at = at;
    if (kind === 'text') {
      this.#text.push(piece);
      this.#textAt ??= at;
    } else {
      this.#thinking.push(piece);
      this.#thinkingAt ??= at;
    }
  }

  /** What was collected, as one action; the buffer is empty afterwards. `null` when nothing was. */
  take(): AnswerWritten | null {
    if (this.#id === null) return null;
    const action: AnswerWritten = {
      type: 'answer-written',
      id: this.#id,
      thinking: this.#thinking.join(''),
      text: this.#text.join(''),
      tokens: this.#text.length,
      thinkingAt: this.#thinkingAt,
      textAt: this.#textAt,
      at: this.#at,
    };
    this.#id = null;
    this.#thinking = [];
    this.#text = [];
    this.#thinkingAt = null;
    this.#textAt = null;
    return action;
  }
}
