import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routeTable } from '../../src/routes/route-table.ts';
import {
  type AttackBench,
  attackedHosts,
  eachOf,
  startAttackBench,
  statusOf,
} from '../corpora/attack-bench.ts';

const chat = JSON.stringify({
  model: 'llama3.2',
  messages: [{ role: 'user', content: 'hi' }],
  stream: false,
});
const chunked = (body: string, end = '') =>
  `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n${end}\r\n`;

interface Attack {
  name: string;
  line?: string;
  /** `undefined` in place of a header leaves it out. */
  headers?: Record<string, string | undefined>;
  /** Lines as they are, after the headers. */
  raw?: string;
  body?: string | Buffer;
  /** Statuses that are right; 0 is a closed connection. */
  expect: readonly number[];
}

const refused = [0, 400, 411, 413, 415, 417, 431, 501, 505];
/** Readers that stop at different places of a message. */
const framing: readonly Attack[] = [
  ...['5', '0', '9999'].map((other) => ({
    name: `two Content-Length, the other ${other}`,
    raw: `Content-Length: ${other}\r\n`,
    expect: refused,
  })),
  ...[
    'chunked, identity',
    'identity, chunked',
    'xchunked',
    'chunked\r\nTransfer-Encoding: identity',
    'CHUNKED , gzip',
  ].map((coding) => ({
    name: `Transfer-Encoding ${JSON.stringify(coding)}`,
    headers: { 'Content-Length': undefined },
    raw: `Transfer-Encoding: ${coding}\r\n`,
    body: chunked(chat),
    expect: refused,
  })),
  {
    name: 'Transfer-Encoding beside Content-Length',
    raw: 'Transfer-Encoding: chunked\r\n',
    body: chunked(chat),
    expect: refused,
  },
  ...['-1', '+10', '0x10', '1e3', '', '99999999999999999999', '10 10', '10,10'].map((length) => ({
    name: `Content-Length ${JSON.stringify(length)}`,
    headers: { 'Content-Length': length },
    expect: refused,
  })),
  ...['-1', '0x10', 'ffffffffffffffff1', ' 5', 'g'].map((size) => ({
    name: `a chunk of size ${JSON.stringify(size)}`,
    headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' },
    body: `${size}\r\n${chat}\r\n0\r\n\r\n`,
    expect: refused,
  })),
  {
    name: 'an extension of a chunk of 100,000 bytes',
    headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' },
    body: `${chat.length.toString(16)};${'x'.repeat(100_000)}\r\n${chat}\r\n0\r\n\r\n`,
    expect: refused,
  },
  { name: 'a folded header', raw: 'X-A: a\r\n b\r\n', expect: refused },
  { name: 'a blank before the colon', raw: 'Content-Type : application/json\r\n', expect: refused },
  { name: 'a zero byte in a value', raw: 'X-A: a\0b\r\n', expect: refused },
  { name: 'a bare CR in a value', raw: 'X-A: a\rAuthorization: x\r\n', expect: refused },
  { name: 'a header without a name', raw: ': a\r\n', expect: refused },
  { name: 'HTTP/1.2', line: 'POST /llm/chat HTTP/1.2', expect: refused },
  { name: 'the preface of HTTP/2', line: 'PRI * HTTP/2.0', expect: [...refused, 404] },
  { name: 'HTTP/0.9', line: 'POST /llm/chat', expect: refused },
  { name: 'no Host', headers: { Host: undefined }, expect: refused },
  { name: 'an expectation that nobody knows', headers: { Expect: '200-maybe' }, expect: refused },
];

/** A credential where nobody may look for one. */
const credentials: readonly Attack[] = [
  {
    name: 'Authorization in a trailer',
    headers: {
      'Content-Length': undefined,
      'Transfer-Encoding': 'chunked',
      Authorization: undefined,
      Trailer: 'Authorization',
    },
    body: 'TRAILER',
    expect: [401],
  },
  {
    name: 'in a cookie',
    headers: { Authorization: undefined, Cookie: 'token=TOKEN; Authorization=Bearer TOKEN' },
    expect: [401],
  },
  {
    name: 'in Proxy-Authorization',
    headers: { Authorization: undefined, 'Proxy-Authorization': 'Bearer TOKEN' },
    expect: [401],
  },
  {
    name: 'in X-Authorization',
    headers: { Authorization: undefined, 'X-Authorization': 'Bearer TOKEN' },
    expect: [401],
  },
  { name: 'as Basic', headers: { Authorization: 'Basic TOKEN' }, expect: [401] },
  { name: 'with two schemes', headers: { Authorization: 'Bearer Bearer TOKEN' }, expect: [401] },
  { name: 'in a list', headers: { Authorization: 'Bearer TOKEN, Bearer TOKEN' }, expect: [401] },
  { name: 'after a tab', headers: { Authorization: 'Bearer\tTOKEN' }, expect: [401] },
  { name: 'twice', raw: 'authorization: Bearer TOKEN\r\n', expect: [400] },
  {
    name: 'as a query',
    line: 'POST /llm/chat?access_token=TOKEN HTTP/1.1',
    headers: { Authorization: undefined },
    expect: [400],
  },
];

/** Bodies that another reader would read otherwise. */
const bodies: readonly Attack[] = [
  ...['gzip', 'br', 'deflate', 'x-gzip', 'identity, gzip', 'GZIP', 'zstd'].map((coding) => ({
    name: `Content-Encoding ${coding}, 10 MiB in 10 KiB`,
    headers: { 'Content-Encoding': coding },
    body: gzipSync(
      `{"model":"llama3.2","messages":[{"role":"user","content":"${'a'.repeat(10 * 2 ** 20)}"}]}`,
    ),
    expect: [415],
  })),
  ...[
    'application/json; charset=utf-7',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-8; charset=utf-7',
    'application/json;boundary=x',
    'application/x-json',
    'application/json\r\nContent-Type: text/plain',
  ].map((type) => ({
    name: `Content-Type ${JSON.stringify(type)}`,
    headers: { 'Content-Type': type },
    expect: [400, 415],
  })),
  ...(
    [
      ['UTF-16 LE', Buffer.from(`\ufeff${chat}`, 'utf16le')],
      ['UTF-16 BE', Buffer.from(`\ufeff${chat}`, 'utf16le').swap16()],
      ['UTF-32', Buffer.from(new Uint32Array([...chat].map((sign) => sign.charCodeAt(0))).buffer)],
      ['an overlong slash', Buffer.from(chat.replace('hi', '\xc0\xaf'), 'latin1')],
      ['a surrogate in UTF-8', Buffer.from(chat.replace('hi', '\xed\xa0\x80'), 'latin1')],
      ['two byte order marks', Buffer.from(`\ufeff\ufeff${chat}`)],
      ['a trailing comma', Buffer.from(chat.replace('}', ',}'))],
      ['a comment', Buffer.from(`/**/${chat}`)],
      ['NaN', Buffer.from(chat.replace('false', 'NaN'))],
      ['a hexadecimal number', Buffer.from(chat.replace('false', '0x1'))],
      ['single quotes', Buffer.from(chat.replaceAll('"', "'"))],
      ['two objects', Buffer.from(chat + chat)],
      ['a zero byte at the end', Buffer.from(`${chat}\0`)],
      ['lines of JSON', Buffer.from(`${chat}\n${chat}`)],
    ] as [string, Buffer][]
  ).map(([name, body]) => ({ name, body, expect: [400] })),
];

/** Targets that a guard and a router read in two ways. */
const targets: readonly Attack[] = [
  ['http://127.0.0.1/llm/chat', [404]],
  ['http://evil.example/llm/chat', [404]],
  ['//evil.example/llm/chat', [404]],
  ['/llm/chat#/../generate', [400, 404]],
  ['/llm/chat;jsessionid=1', [404]],
  ['/llm/%63hat', [404]],
  ['/llm/chat/', [404]],
  ['/llm//chat', [404]],
  ['/llm/./chat', [404]],
  ['/llm/x/../chat', [404]],
  ['/llm\\chat', [400, 404]],
  ['*', [400, 404]],
  ['/llm/chat%00', [404]],
  ['/llm/chat%20', [404]],
].map(([target, expected]) => ({
  name: `the target ${target}`,
  line: `POST ${target} HTTP/1.1`,
  expect: [0, ...(expected as number[])],
}));

describe.each(attackedHosts)('attacks of our own by the wire on %s', (_name, start) => {
  let bench: AttackBench;
  beforeAll(async () => {
    bench = await startAttackBench(start);
  });
  afterAll(() => bench?.close());

  const bytesOf = ({
    line = 'POST /llm/chat HTTP/1.1',
    headers = {},
    raw = '',
    body = chat,
  }: Attack): Buffer => {
    const token = bench.authorization.slice('Bearer '.length);
    const trailed = body === 'TRAILER' ? chunked(chat, `Authorization: ${bench.authorization}\r\n`) : body;
    const payload = Buffer.isBuffer(trailed) ? trailed : Buffer.from(trailed, 'latin1');
    const all: Record<string, string | undefined> = {
      Host: 'proxy.test',
      Authorization: bench.authorization,
      'Content-Type': 'application/json',
      'Content-Length': String(payload.length),
      Connection: 'close',
      ...headers,
    };
    const lines = Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}: ${value.replaceAll('TOKEN', token)}`],
    );
    const head = `${[line, ...lines].join('\r\n')}\r\n${raw}\r\n`.replaceAll('TOKEN', token);
    return Buffer.concat([Buffer.from(head, 'latin1'), payload]);
  };

  test.each([
    ['framing', framing],
    ['a credential elsewhere', credentials],
    ['bodies', bodies],
    ['targets', targets],
  ] as const)('%s: every one is refused and nothing reaches the model server', async (_kind, attacks) => {
    bench.recorded.length = 0;
    const wrong: string[] = [];
    await eachOf(attacks, async (attack) => {
      const answer = await bench.send(bytesOf(attack), 400, 3000);
      const status = statusOf(answer);
      if (!attack.expect.includes(status)) wrong.push(`${attack.name}: ${status}`);
      // One request is one answer: a second one would be to a request that was smuggled in.
      const answers = answer.match(/^HTTP\/1\.1 (?!100)\d{3}/gm) ?? [];
      if (answers.length > 1) wrong.push(`${attack.name}: ${answers.join()}`);
    });
    expect(wrong).toEqual([]);
    expect(bench.recorded).toEqual([]);
  });

  test('the same request without an attack is answered', async () => {
    bench.recorded.length = 0;
    expect(statusOf(await bench.send(bytesOf({ name: 'none', expect: [200] })))).toBe(200);
    const inChunks = {
      headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' },
      body: chunked(chat),
    };
    expect(statusOf(await bench.send(bytesOf({ name: 'none', ...inChunks, expect: [200] })))).toBe(200);
    expect(bench.recorded).toHaveLength(2);
  });

  test('no other method does anything on any route', async () => {
    bench.recorded.length = 0;
    const wrong: string[] = [];
    const methods = ['OPTIONS', 'TRACE', 'CONNECT', 'PUT', 'PATCH', 'PROPFIND', 'PURGE', 'get', 'QUERY'];
    const paths = [...new Set(routeTable.map(({ path }) => path.replace(':id', 'x')))];
    const asked = paths.flatMap((path) => methods.map((method) => ({ path, method })));
    await eachOf(asked, async ({ path, method }) => {
      const headers = {
        'X-HTTP-Method-Override': 'POST',
        'X-Method-Override': 'POST',
        'X-HTTP-Method': 'POST',
      };
      const line = `${method} /llm${path} HTTP/1.1`;
      const status = statusOf(await bench.send(bytesOf({ name: '', line, headers, expect: [] }), 400, 3000));
      const isRight = [0, 400, 404, 405, 501].includes(status) || (method === 'OPTIONS' && status === 403);
      if (!isRight) wrong.push(`${method} ${path}: ${status}`);
    });
    expect(wrong).toEqual([]);
    expect(bench.recorded).toEqual([]);
  });
});
