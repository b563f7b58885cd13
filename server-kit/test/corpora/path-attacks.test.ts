import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routeTable } from '../../src/routes/route-table.ts';
import { type AttackBench, attackedHosts, eachOf, startAttackBench, statusOf } from './attack-bench.ts';
import { corpus, hasCorpora } from './shared.ts';

/** Everything that is served, as it is asked for there. */
const servedTargets = new Set(routeTable.map(({ path }) => `/llm${path}`));
const isServed = (target: string): boolean =>
  servedTargets.has(target) || /^\/llm\/v1\/models\/[\w.:-]+$/.test(target);

const { cases = [], body_cases: bodyCases = [] } = corpus('proxy-path-attacks');

const chatBody = JSON.stringify({ model: 'llama3.2', messages: [{ role: 'user', content: 'hi' }] });
/** Paths of a model server that something of ours may be sent to. */
const mayBeReached: ReadonlySet<string> = new Set(['/api/chat', '/api/generate', '/api/embed']);

interface Attack {
  id: string;
  expect: string;
  request: Buffer;
  target: string;
  /** As the list has it, not a derived one. */
  isOriginal: boolean;
}

/** Every case as it is, and once more on a path that the kit serves. */
function attacks(authorization: string): Attack[] {
  return cases.flatMap(({ id = '', method = '', expect: expected = '', target_b64: base64 = '' }) => {
    const target = Buffer.from(base64, 'base64').toString('latin1');
    const variants = new Set([
      target,
      target.replace('/llm/api/', '/llm/').replace('/llm/v1/', '/llm/'),
      target.replace('/llm/', '/llm/chat/'),
    ]);
    return [...variants].map((variant) => ({
      id,
      expect: expected,
      target: variant,
      isOriginal: variant === target,
      request: Buffer.from(
        `${method} ${variant} HTTP/1.1\r\nHost: proxy.test\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${chatBody.length}\r\nConnection: close\r\n\r\n${chatBody}`,
        'latin1',
      ),
    }));
  });
}

/** A case of the list as a body for a route that is served. */
function bodyOf(one: Record<string, string>): { path: string; contentType: string; body: string } {
  const path = one['route']?.endsWith('/generate') ? '/generate' : '/chat';
  const body: Record<string, unknown> =
    path === '/chat'
      ? { model: 'llama3.2', messages: [{ role: 'user', content: 'hi' }], stream: false }
      : { model: 'llama3.2', prompt: 'hi', stream: false };
  const { json_pointer: pointer, value } = one;
  if (pointer?.startsWith('/messages')) {
    body['messages'] = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: value } }] }];
  } else if (pointer !== undefined) body[pointer.slice(1)] = value;
  return { path, contentType: 'application/json', body: JSON.stringify(body) };
}

const generated: Record<string, () => string> = {
  '/tools 10000': () =>
    JSON.stringify({
      ...JSON.parse(chatBody),
      tools: new Array(10_000).fill({ type: 'function', function: { name: 'f' } }),
    }),
  '/messages 100000': () =>
    JSON.stringify({ model: 'llama3.2', messages: new Array(100_000).fill({ role: 'user', content: '' }) }),
  '/images 100 MiB': () =>
    JSON.stringify({
      model: 'llama3.2',
      messages: [{ role: 'user', content: '', images: ['A'.repeat(24 * 2 ** 20)] }],
    }),
  'deep 100k': () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  'key flood': () => `{${Array.from({ length: 1_000_000 }, (_, at) => `"k${at}":1`).join(',')}}`,
  'gzip bomb': () => chatBody,
  'utf-16': () => Buffer.from(chatBody, 'utf16le').toString('latin1'),
};

const types: Record<string, [string, ...string[]]> = {
  charset: ['application/json; charset=utf-7'],
  'content-type form': ['application/x-www-form-urlencoded'],
  'content-type text': ['text/plain'],
  'content-type missing': [''],
  multipart: ['multipart/form-data; boundary=x'],
  'gzip bomb': ['application/json', 'Content-Encoding: gzip'],
  'content-encoding twice': ['application/json', 'Content-Encoding: gzip, gzip'],
};

describe.skipIf(!hasCorpora).each(attackedHosts)('attacks by path and body on %s', (_name, start) => {
  let bench: AttackBench;
  beforeAll(async () => {
    bench = await startAttackBench(start);
  });
  afterAll(() => bench?.close());

  test('a path reaches the model server only byte for byte as a route of the kit', async () => {
    const wrong: string[] = [];
    const all = attacks(bench.authorization);
    expect(all.length).toBeGreaterThan(800);
    await eachOf(all, async ({ id, expect: expected, request, target, isOriginal }) => {
      const status = statusOf(await bench.send(request));
      if (isServed(target)) {
        // It is the kit's, so it is answered in its own words, good or bad.
        if (expected.startsWith('allow:') && (status === 404 || status >= 500))
          wrong.push(`${id}: ${status}`);
        return;
      }
      // What the kit does not serve is the host's, which has nothing there.
      if (status >= 200 && status < 400) wrong.push(`${id} ${JSON.stringify(target)}: ${status}`);
      if (isOriginal && expected.startsWith('allow:')) wrong.push(`${id} is not expected`);
    });
    expect(wrong).toEqual([]);
    // Targets that are a route of the kit, once made so by this test, may have been answered; nothing else.
    expect(bench.recorded.filter(({ path }) => !mayBeReached.has(path))).toEqual([]);
    const served = all.filter(
      ({ target, request }) => request.toString('latin1').startsWith('POST ') && isServed(target),
    );
    expect(bench.recorded.length).toBeLessThanOrEqual(served.length);
  });

  test('a body steers nothing: no other host, no other model', async () => {
    bench.recorded.length = 0;
    const wrong: string[] = [];
    const steering = bodyCases.filter((one) => one['json_pointer'] !== undefined);
    expect(steering.length).toBeGreaterThan(300);
    await eachOf(steering, async (one) => {
      const { path, contentType, body } = bodyOf(one);
      const text = Buffer.from(body);
      const status = statusOf(
        await bench.send(
          Buffer.concat([
            Buffer.from(
              `POST /llm${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${bench.authorization}\r\nContent-Type: ${contentType}\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n`,
            ),
            text,
          ]),
        ),
      );
      // `LLAMA3.2` and the like are the same model by the one function that makes names canonical.
      if (
        status !== 400 &&
        status !== 404 &&
        !(one['json_pointer'] === '/model' && /^llama3\.2(?::latest)?$/i.test(one['value'] ?? ''))
      ) {
        wrong.push(`${one['id']}: ${status}`);
      }
    });
    expect(wrong).toEqual([]);
    for (const { path, body } of bench.recorded) {
      expect(mayBeReached.has(path)).toBe(true);
      expect(JSON.parse(body).model).toBe('llama3.2:latest');
    }
  });

  test('a body that is malformed, oversized or of another type is refused', async () => {
    bench.recorded.length = 0;
    const before = process.memoryUsage.rss();
    const malformed = bodyCases.filter(({ what }) => what !== undefined);
    await eachOf(malformed, async (one) => {
      const what = one['what'] as string;
      const [type, ...more] = types[what] ?? ['application/json'];
      const raw = generated[what]?.() ?? (types[what] ? chatBody : (one['raw_body'] as string));
      const body = Buffer.from(raw, 'latin1');
      const lines = [
        `POST /llm/chat HTTP/1.1`,
        'Host: x',
        `Authorization: ${bench.authorization}`,
        ...(type === '' ? [] : [`Content-Type: ${type}`]),
        ...more,
        `Content-Length: ${body.length}`,
        'Connection: close',
        '',
        '',
      ];
      const began = performance.now();
      const request = Buffer.concat([Buffer.from(lines.join('\r\n')), body]);
      const status = statusOf(await bench.send(request, 2000, 5000));
      expect([400, 404, 413, 415], `${one['id']} ${what}`).toContain(status);
      expect(performance.now() - began).toBeLessThan(5000);
    });
    expect(bench.recorded).toEqual([]);
    expect(process.memoryUsage.rss() - before).toBeLessThan(600 * 2 ** 20);
  });
});
