import type { CallOptions } from './types.ts';

/** @param what Is read. @param found Is wrong with it. */
export function wrong(what: string, found: string): TypeError {
  return new TypeError(`Reading ${what}: ${found}.`);
}

/** @throws {TypeError} when it is not the name of a model. */
export function checkModel(model: unknown): void {
  if (typeof model !== 'string' || model === '')
    throw wrong('the request', '"model" is not the name of a model');
}

/** @throws {TypeError} when a request lacks what no server can do without. */
export function checkRequest(request: object, content: 'messages' | 'prompt'): void {
  const { model, [content]: value } = request as { model?: unknown; messages?: unknown; prompt?: unknown };
  checkModel(model);
  const isList = Array.isArray(value);
  if (content === 'messages' ? !isList : typeof value !== 'string') {
    throw wrong('the request', `"${content}" is missing or of another type`);
  }
  for (const part of isList ? value : [request]) checkImages((part as { images?: unknown } | null)?.images);
}

/**
 * Paths, addresses and `data:` URLs are told apart from base64 by their first characters and their length; the server reads
 * the rest.
 */
function checkImages(images: unknown): void {
  for (const image of (images ?? []) as unknown[]) {
    if (typeof image !== 'string' || image.length % 4 || !/^[A-Za-z0-9+/]+=*$/.test(image.slice(0, 96))) {
      throw wrong('the request', '"images" are plain base64: encodeImage() makes that');
    }
  }
}

/** @throws {TypeError} when a member is not a number that makes sense; `Infinity` is one. */
export function checkNumbers(group: string, values: object | undefined): void {
  for (const [name, value] of Object.entries(values ?? {}) as [string, unknown][]) {
    const least = name === 'maxAttempts' ? 1 : 0;
    if (value !== undefined && !(typeof value === 'number' && value >= least)) {
      throw wrong(`${group}.${name}`, `give a number from ${least} to Infinity`);
    }
  }
}

/**
 * @throws {TypeError} when a header is not one that can be sent. Platforms repeat the value they refuse in their own
 *   message; here only the name is told.
 */
export function checkHeaders(headers: Readonly<Record<string, string>> | undefined): void {
  for (const [name, value] of Object.entries(headers ?? {}) as [string, unknown][]) {
    if (typeof value !== 'string' || !/^[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e]*$/.test(`${name}:${value}`)) {
      // The name shall not be able to forge a line in a log.
      throw wrong(`headers.${name.replace(/\W/g, '-')}`, 'name or value is not printable ASCII');
    }
  }
}

/**
 * @throws {TypeError} when a token cannot stand in a header. Platforms repeat what they refuse in their own message, so
 *   it is refused here, without its text.
 */
export function checkToken(token: unknown): asserts token is string {
  if (typeof token !== 'string' || !/^[\x21-\x7e]*$/.test(token)) {
    throw wrong('credentials', 'the token is not printable ASCII without spaces');
  }
}

/** @throws {TypeError} when an option of a client or a call makes no sense. */
export function checkCall(options: CallOptions): void {
  checkNumbers('timeouts', options.timeouts);
  checkNumbers('retry', options.retry);
  checkHeaders(options.headers);
  const { recovery } = options;
  if (recovery !== undefined && !/^(?:throw|restart|continue)$/.test(recovery)) {
    throw wrong('recovery', 'give "throw", "restart" or "continue"');
  }
}
