import type { CutKind, Finish, FramePayload, RecordedAnswer, Shape, Step } from './step-types.ts';

/** Text, cut into tokens at the current pace. */
export function say(text: string): Step {
  return { kind: 'say', text };
}

/** Thinking, cut into tokens at the current pace. Left out when the request switched thinking off. */
export function think(text: string): Step {
  return { kind: 'think', text };
}

/** The end of the thinking and the beginning of the text in one record, as Ollama sends them now and then. */
export function thinkAndSay(thinking: string, text: string): Step {
  return { kind: 'mixed', thinking, text };
}

/**
 * One whole tool call, in a record of its own.
 *
 * `onLastRecord` puts it on the record that ends the answer, as Ollama does when the last piece completes the call.
 */
export function callTool(
  name: string,
  args: Record<string, unknown> = {},
  options: { onLastRecord?: boolean | undefined } = {},
): Step {
  return { kind: 'callTool', name, arguments: args, onLastRecord: options.onLastRecord ?? false };
}

/** Silence for `ms` milliseconds of the clock; without a length, until the client leaves. */
export function stall(ms?: number): Step {
  return { kind: 'stall', ms };
}

/**
 * The stream ends without its last record: cleanly (`end`, the default), by a closed connection in the middle of the
 * chunked body (`close`), or by a reset (`reset`).
 */
export function cut(how: CutKind = 'end'): Step {
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

/** The status line and the headers go out now, before any record. */
export function begin(): Step {
  return { kind: 'begin' };
}

/** One frame (an NDJSON line, an SSE event) with this payload as it is, or another for each dialect. */
export function frame(payload: FramePayload): Step {
  return { kind: 'frame', payload };
}

/** The first part of a record with this text: it ends after the first byte of the text's last character. */
export function torn(text: string): Step {
  return { kind: 'torn', text };
}

/** Repeats `pattern` until so many bytes have gone out. */
export function flood(bytes: number, pattern: FramePayload = 'a'): Step {
  return { kind: 'flood', bytes, pattern };
}

/** Says the text again and again until the client leaves. */
export function endless(text: string): Step {
  return { kind: 'endless', text };
}

/** Blank lines, comments or pings: `times` of them (default: for ever), one every `everyMs` of the clock. */
export function heartbeats(everyMs: number, times = Number.POSITIVE_INFINITY): Step {
  return { kind: 'heartbeats', everyMs, times };
}

/** The last records of the answer, now. Without it they come at the end of the script. */
export function finish(options: Finish = {}): Step {
  return { kind: 'finish', finish: options };
}

/**
 * A recorded answer in place of any other: status, headers and body go out as they are, on every route.
 *
 * A body of several entries is written one by one at the stand-in's pace; a text of records or events is cut into them.
 */
export function replay(
  body: RecordedAnswer['body'],
  options: { status?: number | undefined; headers?: Readonly<Record<string, string>> | undefined } = {},
): Step {
  return { kind: 'replay', answer: { body, ...options } };
}

/** Changes the whole answer on its way out: status, headers, size of the writes, an end after so many bytes. */
export function shape(changes: Shape): Step {
  return { kind: 'shape', shape: changes };
}

/**
 * Bytes on the connection in place of an HTTP answer, then its end. Over a socket only: in process the request fails as
 * it would over a broken connection.
 */
export function wire(
  bytes: string | Uint8Array,
  options: {
    sliceBytes?: number | undefined;
    everyMs?: number | undefined;
    ending?: 'close' | 'reset' | 'hang' | undefined;
  } = {},
): Step {
  return {
    kind: 'wire',
    bytes,
    sliceBytes: options.sliceBytes,
    everyMs: options.everyMs ?? 0,
    ending: options.ending ?? 'close',
  };
}

/**
 * What happens to the next connection before it is answered: `refuse` (for `ms`, or one attempt), `reset` right after it
 * was accepted, `ignore` (accepted and never read), `reset-on-reuse` (the next request on a connection that was used
 * before). A match other than `times` cannot apply: nothing has been asked yet.
 */
export function connection(how: 'refuse' | 'reset' | 'ignore' | 'reset-on-reuse', ms?: number): Step {
  return { kind: 'connection', how, ms };
}
