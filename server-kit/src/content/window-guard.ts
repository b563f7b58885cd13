import type { TextGuard } from './text-guard.ts';

/** Rewrites text, or throws to refuse it. Called again with the end of its own result, so twice must be as once. */
export type Rewrite = (text: string, isLast: boolean) => string;

/**
 * Runs a function of the host app's over text on its way. The last `windowCharacters` of what it gave are kept and shown
 * to it again with what follows: whatever is at most so long, it sees whole before any of it goes.
 */
export class WindowGuard implements TextGuard {
  readonly #rewrite: Rewrite;
  readonly #windowCharacters: number;
  #kept = '';

  constructor(rewrite: Rewrite, windowCharacters: number) {
    this.#rewrite = rewrite;
    this.#windowCharacters = windowCharacters;
  }

  push(text: string): string {
    if (text === '') return '';
    const rewritten = this.#rewrite(this.#kept + text, false);
    let end = Math.max(0, rewritten.length - this.#windowCharacters);
    // Half a character is none.
    if (end > 0 && isHighSurrogate(rewritten.charCodeAt(end - 1))) end--;
    this.#kept = rewritten.slice(end);
    return rewritten.slice(0, end);
  }

  flush(): string {
    if (this.#kept === '') return '';
    const text = this.#rewrite(this.#kept, true);
    this.#kept = '';
    return text;
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
