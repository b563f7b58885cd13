import type { Step } from '../types.ts';

/** Text, cut into tokens at the current pace. */
export function say(text: string): Step {
  return { kind: 'say', text };
}

/** Thinking, cut into tokens at the current pace. Left out when the request switched thinking off. */
export function think(text: string): Step {
  return { kind: 'think', text };
}

/** One whole tool call in a record of its own. */
export function callTool(name: string, args: Record<string, unknown> = {}): Step {
  return { kind: 'callTool', name, arguments: args };
}

/** Silence for `ms` milliseconds of the clock; without a length, until the client leaves. */
export function stall(ms?: number): Step {
  return { kind: 'stall', ms };
}

/** The stream ends without its last record: cleanly (`end`, the default) or by a reset connection (`reset`). */
export function cut(how: 'end' | 'reset' = 'end'): Step {
  return { kind: 'cut', how };
}

/**
 * A failure: an HTTP answer when nothing was sent yet, an error line after that.
 *
 * Status 500 unless given. `body` replaces `{"error": message}` byte for byte and `headers` are added, `Retry-After`
 * for one; both only matter while it is still an HTTP answer.
 */
export function error(
  message: string,
  options: {
    status?: number | undefined;
    body?: string | undefined;
    headers?: Record<string, string> | undefined;
  } = {},
): Step {
  return {
    kind: 'error',
    message,
    status: options.status ?? 500,
    body: options.body,
    headers: options.headers ?? {},
  };
}

/** Raw bytes in the stream, as they are. */
export function garbage(bytes: string | Uint8Array): Step {
  return { kind: 'garbage', bytes };
}

/**
 * From here on, this many tokens a second.
 *
 * @throws {RangeError} when it is not above 0: `stall()` is silence.
 */
export function slow(tokensPerSecond: number): Step {
  if (!(tokensPerSecond > 0)) {
    throw new RangeError(`slow(${tokensPerSecond}): the pace must be above 0. Use stall() for silence.`);
  }
  return { kind: 'slow', tokensPerSecond };
}

/** One record with this many characters of text. */
export function huge(characters: number): Step {
  return { kind: 'huge', characters };
}
