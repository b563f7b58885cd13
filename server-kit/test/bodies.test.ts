import { describe, expect, test } from 'vitest';
import { type Ask, eventsIn, hello, problemIn, startBench } from './harness.ts';

const mebibyte = 1024 * 1024;
const json = (value: unknown) => JSON.stringify(value);
const long = (characters: number, letter = 'x') => ({
  model: 'stand-in',
  messages: [{ role: 'user', content: letter.repeat(characters) }],
});
const withImage = (characters: number) => ({
  model: 'stand-in-vision',
  messages: [{ role: 'user', content: 'What is it?', images: ['A'.repeat(characters)] }],
});

async function codeOf(ask: Ask, path = '/chat'): Promise<string> {
  const bench = await startBench();
  const response = await bench.answer(path, ask);
  if (response.status === 200) {
    const events = await eventsIn(response);
    return String(events.at(-1)?.type);
  }
  expect(bench.ollama.fake.report().requests.filter(({ method }) => method === 'POST')).toEqual([]);
  return (await problemIn(response)).code;
}

/** A body in pieces and without an announced length. */
function pieces(bytes: Uint8Array, size = 64 * 1024): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream(
    {
      pull(controller) {
        if (at >= bytes.byteLength) controller.close();
        else controller.enqueue(bytes.subarray(at, at + size));
        at += size;
      },
    },
    { highWaterMark: 0 },
  );
}
const utf8 = (text: string) => new TextEncoder().encode(text);

describe('content types', () => {
  test.each([
    ['application/json', 'done'],
    ['application/json; charset=utf-8', 'done'],
    ['Application/JSON;charset="UTF-8"', 'done'],
    ['', 'unsupported_media_type'],
    ['text/plain', 'unsupported_media_type'],
    ['application/x-www-form-urlencoded', 'unsupported_media_type'],
    ['multipart/form-data; boundary=x', 'unsupported_media_type'],
    ['text/json', 'unsupported_media_type'],
    ['application/jsonp', 'unsupported_media_type'],
    ['application/json; charset=utf-16', 'unsupported_media_type'],
    ['application/json, text/plain', 'unsupported_media_type'],
    ['text/plain; application/json', 'unsupported_media_type'],
  ])('%j gives %s', async (type, code) => {
    expect(await codeOf({ body: json(hello), headers: { 'content-type': type } })).toBe(code);
  });

  test('no Content-Type is 415 as well', async () => {
    const bench = await startBench();
    const response = await bench.answer('/chat', { method: 'POST' });
    expect((await problemIn(response)).code).toBe('unsupported_media_type');
  });
});

describe('bodies that are not JSON objects', () => {
  test.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['blanks', ' \n '],
    ['half an object', '{"model":'],
    ['an object and more', `${json(hello)}{}`],
    ['not UTF-8', new Uint8Array([...utf8('{"model":"'), 0xff, 0xfe, ...utf8('"}')])],
    ['UTF-8 that ends in the middle of a character', utf8(json(long(1, 'ä'))).subarray(0, 52)],
    ['UTF-16', new Uint8Array(Buffer.from(json(hello), 'utf16le'))],
    ['gzip', new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0])],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"hello"'],
    ['a number', '1'],
    ['65 levels', `{"model":"stand-in","messages":[],"format":${'{"a":'.repeat(64)}1${'}'.repeat(64)}}`],
    ['100,000 levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('%s is bad_request', async (_what, body) => {
    expect(await codeOf({ body, headers: { 'content-type': 'application/json' } })).toBe('bad_request');
  });

  test('brackets inside strings are not depth', async () => {
    expect(await codeOf({ body: long(1000, '[') })).toBe('done');
  });

  test('a byte order mark is not part of the text', async () => {
    expect(await codeOf({ body: `\uFEFF${json(hello)}` })).toBe('done');
  });
});

describe('sizes', () => {
  test('a body that says it is too large is refused unread', async () => {
    const bench = await startBench();
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({ pull: () => void pulled++ }, { highWaterMark: 0 });
    const response = await bench.answer('/chat', {
      body,
      headers: { 'content-length': String(20 * mebibyte + 1) },
    });
    expect((await problemIn(response)).code).toBe('payload_too_large');
    expect(pulled).toBe(0);
  });

  test('one that does not say so is cut while it is read', async () => {
    const bench = await startBench({ limits: { maxBodyBytes: 1000, maxImageBodyBytes: 10_000 } });
    let pulled = 0;
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled++;
          controller.enqueue(new Uint8Array(1000).fill(0x20));
        },
        cancel() {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const problem = await problemIn(await bench.answer('/chat', { body }));
    expect(problem).toMatchObject({ code: 'payload_too_large', status: 413, retryable: false });
    expect(problem.detail).toContain('10000 bytes');
    expect(pulled).toBe(11);
    expect(cancelled).toBe(true);
  });

  test.each<[string, unknown, string]>([
    ['1 MiB of text', long(mebibyte - 100), 'done'],
    ['a little more', long(mebibyte + 1), 'payload_too_large'],
    ['15 MiB with an image', withImage(15 * mebibyte), 'done'],
    ['20 MiB with an image', withImage(20 * mebibyte - 200), 'done'],
    ['more than 20 MiB with an image', withImage(20 * mebibyte), 'payload_too_large'],
  ])('%s', async (_what, body, code) => {
    expect(await codeOf({ body })).toBe(code);
  });

  test('characters of several bytes count as several, also without an announced length', async () => {
    expect(await codeOf({ body: pieces(utf8(json(long(mebibyte / 2, '€')))) })).toBe('payload_too_large');
  });

  test('a nonsense Content-Length lifts no limit', async () => {
    const body = long(2 * mebibyte);
    expect(await codeOf({ body, headers: { 'content-length': 'much' } })).toBe('payload_too_large');
  });

  test('nine images are too many', async () => {
    const images = new Array(9).fill('AAAA');
    const spread = {
      model: 'stand-in-vision',
      messages: images.map((one) => ({ role: 'user', content: 'x', images: [one] })),
    };
    expect(await codeOf({ body: spread })).toBe('bad_request');
    expect(await codeOf({ body: { model: 'stand-in-vision', prompt: 'x', images } }, '/generate')).toBe(
      'bad_request',
    );
  });

  test('an empty list of images is no ticket to the larger limit', async () => {
    const body = {
      ...long(2 * mebibyte),
      messages: [{ role: 'user', content: 'x'.repeat(2 * mebibyte), images: [] }],
    };
    expect(await codeOf({ body })).toBe('payload_too_large');
  });
});

describe('a body that the host app has parsed', () => {
  const parsed = (parsedBody: unknown): Ask => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    connection: { parsedBody },
  });

  test('is used as it is', async () => {
    expect(await codeOf(parsed(hello))).toBe('done');
  });

  test.each<[string, () => unknown, string]>([
    ['text above 1 MiB', () => long(mebibyte + 1), 'payload_too_large'],
    ['characters of several bytes above 1 MiB', () => long(mebibyte / 2, '€'), 'payload_too_large'],
    ['more than 20 MiB with an image', () => withImage(20 * mebibyte), 'payload_too_large'],
    ['an empty object', () => ({}), 'bad_request'],
    ['a text', () => json(hello), 'bad_request'],
    ['bytes', () => Buffer.from(json(hello)), 'bad_request'],
    ['65 levels', () => JSON.parse(`${'['.repeat(65)}${']'.repeat(65)}`), 'bad_request'],
    [
      'so many levels that writing it overflows the stack',
      () => JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`),
      'bad_request',
    ],
    ['a function', () => () => hello, 'bad_request'],
    ['an unknown member', () => ({ ...hello, x: 1 }), 'bad_request'],
  ])('goes through the same checks: %s', async (_what, make, code) => {
    expect(await codeOf(parsed(make()))).toBe(code);
  });

  test('still needs a JSON Content-Type', async () => {
    expect(await codeOf({ ...parsed(hello), headers: {} })).toBe('unsupported_media_type');
  });
});
