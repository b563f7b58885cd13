import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '../doors/hosts.ts';
import { question, startBench } from '../stream-harness.ts';
import { type AttackBench, attackedHosts, eachOf, startAttackBench, statusOf } from './attack-bench.ts';
import { corpus, hasCorpora } from './shared.ts';

const {
  raw_cases: rawCases = [],
  header_cases: headerCases = [],
  origin_ws_cases: originCases = [],
  upstream_response_cases: responseCases = [],
} = corpus('header-attacks');

const chatBody = JSON.stringify({
  model: 'llama3.2',
  messages: [{ role: 'user', content: 'hi' }],
  stream: false,
});
/** All that a model server gets to see. */
const sentUpstream: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-type',
  'content-length',
  'accept',
]);

/** Cases that need a socket that is open, or a clock: the tests that have them, by file and words. */
const elsewhere: Record<string, [file: string, words: string]> = {
  'ws/ticket-twice': ['ws/identity.test.ts', 'open one socket, once, and are never echoed'],
  'ws/ticket-other-origin': ['ws/identity.test.ts', 'are bound to the page that asked'],
  'ws/token-expires-while-open': ['ws/identity.test.ts', 'closes the socket with 4401 and stops what runs'],
  'ws/key-revoked-while-open': ['ws/revocation.test.ts', 'when its API key is deleted, opened with %s'],
  'ws/unmasked-frame': ['ws/bounds.test.ts', "['an unmasked frame', [0x81, 0x02, 0x68, 0x69], 1002]"],
  'ws/64MiB-message': ['ws/bounds.test.ts', 'longer than a body may be: 1009'],
  'ws/1M-fragments': ['ws/bounds.test.ts', 'a message in too many pieces: 1008'],
  'ws/deflate-bomb': ['ws/bounds.test.ts', 'compression is not spoken'],
  'ws/ping-flood': ['ws/bounds.test.ts', '120 pings in a row: close 4429'],
  'ws/never-reads': [
    'ws/bounds.test.ts',
    'a peer that takes nothing is not read for, and is cut off after 30 s',
  ],
  'ws/message-flood': ['ws/requests.test.ts', 'the limits are those of HTTP: rate, and answers at once'],
  'ws/invalid-utf8': [
    'ws/bounds.test.ts',
    "['text that is not UTF-8', [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], 1007]",
  ],
};

test.skipIf(!hasCorpora).each(Object.entries(elsewhere))('%s has its test', (id, [file, words]) => {
  expect(originCases.map((one) => one['id'])).toContain(id);
  expect(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')).toContain(words);
});

describe.skipIf(!hasCorpora).each(attackedHosts)('attacks by framing and headers on %s', (_name, start) => {
  let bench: AttackBench;
  beforeAll(async () => {
    bench = await startAttackBench(start);
  });
  afterAll(() => bench?.close());

  test('no framing smuggles a request to the model server', async () => {
    const wrong: string[] = [];
    const all = rawCases.flatMap((one) => {
      const text = Buffer.from(one['request_b64'] ?? '', 'base64')
        .toString('latin1')
        .replaceAll('Bearer USER', bench.authorization);
      return [
        ...new Set([
          text,
          text.replace('/llm/api/chat', '/llm/chat').replace('/llm/api/generate', '/llm/generate'),
        ]),
      ].map((request) => ({ one, request }));
    });
    expect(all.length).toBeGreaterThan(250);
    await eachOf(all, async ({ one, request }) => {
      const answer = await bench.send(Buffer.from(request, 'latin1'), 150);
      const status = statusOf(answer);
      if (one['expect'] === 'refuse' && status >= 200 && status < 400) wrong.push(`${one['id']}: ${status}`);
      if (status >= 500 && status !== 501 && status !== 505) wrong.push(`${one['id']}: ${status}`);
    });
    expect(wrong).toEqual([]);
    const sent = all.reduce(
      (sum, { request }) => sum + (request.match(/HTTP\/1\.[01]\r\n/g)?.length ?? 0),
      0,
    );
    expect(bench.recorded.length).toBeLessThanOrEqual(sent);
    for (const { path, method, rawHeaders } of bench.recorded) {
      expect(['/api/chat', '/api/generate']).toContain(path);
      expect(method).toBe('POST');
      const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
      expect(names.filter((name) => name === 'content-length' || name === 'transfer-encoding')).toHaveLength(
        1,
      );
    }
  });

  test('no header of a caller reaches the model server, names the caller, or splits a log line', async () => {
    bench.recorded.length = 0;
    bench.log.length = 0;
    let sent = 0;
    await eachOf(headerCases, async (one) => {
      const given = one['headers'] as unknown as [string, string][];
      const lines = given.map(([name, value]) => `${name}: ${value}`);
      const answer = await bench.send(
        Buffer.from(
          [
            `POST /llm/chat HTTP/1.1`,
            ...(given.some(([name]) => /^host$/i.test(name)) ? [] : ['Host: proxy.test']),
            `Authorization: ${bench.authorization}`,
            'Content-Type: application/json',
            `Content-Length: ${chatBody.length}`,
            ...lines,
            '',
            chatBody,
          ].join('\r\n'),
          'utf8',
        ),
        150,
        2000,
      );
      sent++;
      const status = statusOf(answer);
      expect(status === 0 || status < 500 || status === 501, `${one['id']}: ${status}`).toBe(true);
      // No answer has a header that a value made.
      expect(answer.toLowerCase()).not.toMatch(/\r\n(?:set-cookie|x-injected|evil):/);
    });
    expect(bench.recorded.length).toBeGreaterThan(60);
    expect(bench.recorded.length).toBeLessThanOrEqual(sent);
    for (const { rawHeaders } of bench.recorded) {
      for (let at = 0; at < rawHeaders.length; at += 2) {
        expect(sentUpstream.has((rawHeaders[at] as string).toLowerCase()), rawHeaders[at]).toBe(true);
      }
    }
    for (const line of bench.log) {
      if (line['principal'] !== undefined) expect(line['principal']).toBe('ada');
      expect(String(line['requestId'])).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
      expect(JSON.stringify(line)).not.toMatch(/\\[rn]/);
      expect(JSON.stringify(line)).not.toContain(bench.authorization.slice(7));
    }
  });

  test('no origin but the listed one may call or open a socket', async () => {
    const wrong: string[] = [];
    await eachOf(originCases, async (one) => {
      const { id = '', channel = '', origin, expect: expected = '' } = one;
      const allowed = one['allowed'] as unknown as boolean;
      if (Object.hasOwn(elsewhere, id)) return;
      const lines: string[] = [];
      if (typeof origin === 'string') lines.push(`Origin: ${origin}`);
      if (channel.startsWith('cors')) {
        const preflight = channel !== 'cors-simple';
        if (preflight)
          lines.push('Access-Control-Request-Method: POST', 'Access-Control-Request-Headers: authorization');
        if (channel.endsWith('private-network')) lines.push('Access-Control-Request-Private-Network: true');
        const answer = await bench.send(
          [
            `${preflight ? 'OPTIONS' : 'GET'} /llm/models HTTP/1.1`,
            'Host: proxy.test',
            `Authorization: ${bench.authorization}`,
            ...lines,
            'Connection: close',
            '',
            '',
          ].join('\r\n'),
        );
        const given = /\r\naccess-control-allow-origin: ([^\r]*)/i.exec(answer)?.[1];
        if (given !== (allowed ? origin : undefined)) wrong.push(`${id}: ${given}`);
        if (!allowed && /access-control-allow/i.test(answer)) wrong.push(`${id}: headers`);
        if (/access-control-allow-credentials/i.test(answer)) wrong.push(`${id}: credentials`);
        return;
      }
      const signedIn = id !== 'ws/no-origin-no-token' && one['cookie'] === undefined;
      if (one['cookie'] !== undefined) lines.push('Cookie: session=1');
      const answer = await bench.send(
        [
          'GET /llm/ws HTTP/1.1',
          'Host: proxy.test',
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
          ...(signedIn ? [`Authorization: ${bench.authorization}`] : []),
          ...lines,
          '',
          '',
        ].join('\r\n'),
      );
      const wanted = Number(/^\d{3}/.exec(expected)?.[0]);
      if (statusOf(answer) !== wanted) wrong.push(`${id}: ${statusOf(answer)} for ${wanted}`);
    });
    expect(wrong).toEqual([]);
  });
});

describe.skipIf(!hasCorpora)('what a model server answers', () => {
  test('is passed on by name only, and what is malformed is a typed failure', async () => {
    expect(responseCases.length).toBeGreaterThan(80);
    const record = `${JSON.stringify({ model: 'raw:latest', message: { role: 'assistant', content: 'hello' }, done: true, done_reason: 'stop' })}\n`;
    for (const one of responseCases) {
      const header = one['header'] as unknown as [string, string] | undefined;
      const bytes = header
        ? Buffer.from(
            `HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n${header[0]}: ${header[1]}\r\nconnection: close\r\n\r\n${record}`,
            'latin1',
          )
        : Buffer.from(one['response_b64'] ?? '', 'base64');
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', (asked) => {
          if (String(asked).startsWith('GET ')) {
            const body = JSON.stringify({ models: [{ name: 'raw:latest', model: 'raw:latest' }] });
            socket.end(
              `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
            );
          } else socket.end(bytes);
        });
      });
      const running = await listen(server as never).catch(() => undefined);
      const port = (server.address() as { port: number }).port;
      const bench = startBench(`http://127.0.0.1:${port}`, {
        timeouts: { firstTokenMs: 2000, idleMs: 2000 },
      });
      const response = await bench.ask('/chat', question('Hi', 'raw'));
      const text = await response.text();
      const last = text.trim().split('\n').at(-1) ?? '';
      const whole = last.includes('"type":"done"');
      // A whole answer needs the record that says so; everything else is told as what it is.
      if (!whole)
        expect(last, one['id']).toMatch(
          /"code":"(?:truncated|malformed_record|upstream_error|upstream_unreachable|server_busy|runner_crashed|bad_request|model_not_found|capability_unsupported|internal_error|forbidden|unauthorized|out_of_memory|first_token_timeout|response_too_large)"/,
        );
      if (header) {
        const name = header[0].toLowerCase();
        const ours = [
          'content-type',
          'cache-control',
          'x-content-type-options',
          'server-timing',
          'x-request-id',
        ];
        if (!ours.includes(name) && !name.startsWith('ratelimit'))
          expect(response.headers.has(name), name).toBe(false);
        expect([...response.headers.values()].join('\n')).not.toContain(
          header[1].length > 3 ? header[1] : '\u0000',
        );
      }
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      server.close();
      void running;
    }
  });
});
