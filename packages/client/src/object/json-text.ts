import { PartialJson, parseJson } from '@ziggie/llm-protocol';

/**
 * Finds the JSON in what a model writes. Models that are not held to a grammar like to put a sentence before it or a fence
 * around it.
 */
export class JsonText {
  readonly #parser = new PartialJson();
  #begun = false;
  #broken = false;

  /** What is known so far. */
  get value(): unknown {
    return this.#parser.value;
  }

  /** @returns Whether more is known than before. */
  push(piece: string): boolean {
    if (this.#broken || this.#parser.complete) return false;
    const from = this.#begun ? 0 : piece.search(/[[{]/);
    if (from === -1) return false;
    this.#begun = true;
    try {
      return this.#parser.push(piece.slice(from));
    } catch {
      // The value itself may have been complete: then what follows it is an afterword.
      this.#broken = true;
      return false;
    }
  }
}

/** The value in a whole answer, or `undefined` when there is none: JSON alone, else in a fence, else from its first bracket. */
export function findJson(text: string): { value: unknown } | undefined {
  return parsed(text) ?? parsed(insideFence(text)) ?? parsed(betweenBrackets(text));
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: parseJson(text) };
  } catch {
    return undefined;
  }
}

function insideFence(text: string): string {
  const open = text.indexOf('```');
  const from = open === -1 ? -1 : text.indexOf('\n', open);
  const to = from === -1 ? -1 : text.indexOf('```', from);
  return to === -1 ? '' : text.slice(from, to);
}

function betweenBrackets(text: string): string {
  const from = text.search(/[[{]/);
  return from === -1 ? '' : text.slice(from, Math.max(text.lastIndexOf('}'), text.lastIndexOf(']')) + 1);
}
