import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { createFakeOllama, createManualClock, fault, faults, type ManualClock, say } from '../src/index.ts';
import { startFakeOllama, startFakeOpenAI } from '../src/node.ts';
import type { FakeServer } from '../src/types.ts';
import { type RawAnswer, RawConnection } from './raw-request.ts';

/** The two dialects that the catalogue is played in. */
const dialects = [
  {
    name: 'Ollama, NDJSON',
    start: startFakeOllama,
    path: '/api/chat',
    body: { model: 'stand-in', messages: [{ role: 'user', content: 'hi' }] },
    isEnd: (body: string) => body.includes('"done":true'),
    endCount: (body: string) => body.split('"done":true').length - 1,
    heartbeat: /\n\n/,
  },
  {
    name: 'OpenAI, SSE',
    start: startFakeOpenAI,
    path: '/v1/chat/completions',
    body: { model: 'stand-in', stream: true, messages: [{ role: 'user', content: 'hi' }] },
    isEnd: (body: string) => body.includes('[DONE]'),
    endCount: (body: string) => body.split('[DONE]').length - 1,
    heartbeat: /: keep-alive\n\n/,
  },
] as const;

const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

const DONE = (answer: RawAnswer) => answer.complete && answer.chunks.length > 0;
const ENDED = (answer: RawAnswer) => answer.ending !== 'open';
const utf8 = (latin1: string) => Buffer.from(latin1, 'latin1').toString('utf8');

describe('the catalogue', () => {
  const corpus = new URL('../../../../shared/corpora/faults.json', import.meta.url);

  it.skipIf(!existsSync(corpus))('has every row of the fault matrix, and no other', () => {
    const rows: { id: string }[] = JSON.parse(readFileSync(corpus, 'utf8')).faults;
    expect(faults.map(({ id }) => id)).toEqual(rows.map(({ id }) => id).sort());
  });

  it('plays every fault of the upstream and names whose doing the others are', () => {
    for (const { id, side, variants } of faults) {
      if (side === 'upstream') {
        for (const variant of variants) expect(fault(id, variant), id).not.toHaveLength(0);
        expect(fault(id)).toEqual(fault(id, variants[0]));
      } else expect(() => fault(id), id).toThrow(new RegExp(side));
    }
    expect(faults.filter(({ side }) => side === 'upstream').length).toBeGreaterThan(60);
  });

  it('says what is there when something else is asked for', () => {
    expect(() => fault('F999')).toThrow('F001 to F124');
    expect(() => fault('F018', '503')).toThrow('502, 504');
    expect(() => fault('F018', 'toString')).toThrow('502, 504');
  });
});

describe.each(dialects)('faults on the wire, $name', (dialect) => {
  async function open(clock: ManualClock = createManualClock()) {
    const server: FakeServer = await dialect.start({ clock, tokensPerSecond: Number.POSITIVE_INFINITY });
    toClose.push(() => server.close());
    const ask = () => {
      const connection = new RawConnection(server.port);
      toClose.push(() => connection.close());
      connection.send(dialect.path, dialect.body);
      return connection;
    };
    /** Plays a fault and gives what came when the condition held. */
    const play = async (id: string, variant: string | undefined, until: (answer: RawAnswer) => boolean) => {
      server.fake.script(fault(id, variant));
      return ask().until(until);
    };
    return { server, clock, ask, play };
  }

  it.each(['F001', 'F002', 'F003'])('%s: nobody listens, until the server is up again', async (id) => {
    const { server, ask, play } = await open();
    expect((await play(id, undefined, ENDED)).ending).toBe('refused');
    await server.up();
    expect(dialect.isEnd((await ask().until(DONE)).body)).toBe(true);
  });

  it('F124: nobody listens for three seconds', async () => {
    const { clock, ask, play } = await open();
    expect((await play('F124', undefined, ENDED)).ending).toBe('refused');
    await clock.advance(2999);
    expect((await ask().until(ENDED)).ending).toBe('refused');
    await clock.advance(1);
    await expect
      .poll(async () => (await ask().until((answer) => ENDED(answer) || DONE(answer))).ending)
      .toBe('open');
  });

  it('F005: accepted and never read', async () => {
    const { server, ask, play } = await open();
    const silent = play('F005', undefined, ENDED);
    // The next connection is served: only one was ignored, and its request never arrived.
    await expect.poll(() => server.fake.report().requests.length).toBe(0);
    await ask().until(DONE);
    expect(server.fake.report().requests).toHaveLength(1);
    await server.close();
    expect((await silent).bytes).toBe('');
  });

  it('F006: reset as soon as it was accepted', async () => {
    const { server, play } = await open();
    const answer = await play('F006', undefined, ENDED);
    expect([answer.ending, answer.bytes, server.fake.report().requests]).toEqual(['reset', '', []]);
  });

  it('F007: reset when a kept-alive connection is used again', async () => {
    const { server, ask } = await open();
    const connection = ask();
    await connection.until(DONE);
    server.fake.script(fault('F007'));
    const before = connection.length;
    connection.send(dialect.path, dialect.body);
    expect(await connection.until(ENDED)).toMatchObject({ ending: 'reset' });
    expect(connection.length).toBe(before);
  });

  it.each([
    ['F012', undefined],
    ['F104', 30_000],
    ['F117', 1000],
    ['F067', 60_000],
  ])('%s: silence before the headers', async (id, ms) => {
    const { server, clock, ask } = await open();
    server.fake.script(fault(id));
    const connection = ask();
    await server.fake.waitFor((report) => report.openGenerations === 1);
    await clock.advance((ms ?? 3_600_000) - 1);
    expect(connection.answer).toMatchObject({ bytes: '', ending: 'open' });
    if (ms === undefined) return;
    await clock.advance(1);
    expect(dialect.isEnd((await connection.until(DONE)).body)).toBe(true);
  });

  it('F013: the headers come one byte a second', async () => {
    const { server, clock, ask } = await open();
    server.fake.script(fault('F013'));
    const connection = ask();
    await connection.until(({ bytes }) => bytes === 'H');
    await clock.advance(8000);
    expect((await connection.until(({ bytes }) => bytes.length === 9)).bytes).toBe('HTTP/1.1 ');
  });

  it('F014: more headers than a client takes', async () => {
    const { play } = await open();
    const big = await play('F014', 'size', DONE);
    expect(big.bytes.indexOf('\r\n\r\n')).toBeGreaterThan(65_536);
    const many = await play('F014', 'count', DONE);
    expect(many.bytes.split('\r\n\r\n')[0]?.split('\r\n').length).toBeGreaterThan(3000);
  });

  it.each([
    ['status-line', /^HTP\/1\.1 200 OK\r/],
    ['status-code', /^HTTP\/1\.1 2OO/],
    ['header-name', /\r\nBad Header: 1\r\n/],
    ['header-value', /X-Null: a\0b/],
    ['no-http', /^220 mail/],
  ])('F015: no HTTP, %s', async (variant, form) => {
    const { play } = await open();
    const answer = await play('F015', variant, ENDED);
    expect(answer.bytes).toMatch(form);
    expect(answer.ending).toBe('fin');
  });

  it('F016: two lengths', async () => {
    const { play } = await open();
    const both = await play('F016', 'both', ENDED);
    expect(both.bytes).toMatch(/Content-Length: 5\r\nTransfer-Encoding: chunked/);
    const two = await play('F016', 'two-lengths', ENDED);
    expect(two.bytes.match(/Content-Length/g)).toHaveLength(2);
  });

  it('F017: ten thousand interim answers, then the real one', async () => {
    const { play } = await open();
    const answer = await play('F017', undefined, ({ bytes }) => dialect.isEnd(bytes));
    expect(answer.bytes.match(/HTTP\/1\.1 103 /g)).toHaveLength(10_000);
    expect(answer.bytes).toContain('HTTP/1.1 200 OK');
  });

  it.each([
    ['F018', '502', 502, 'text/html', /502 Bad Gateway/],
    ['F018', '504', 504, 'text/html', /nginx/],
    ['F019', '500', 500, 'json', /model runner has unexpectedly stopped/],
    ['F020', 'seconds', 503, 'json', /overloaded/],
    ['F022', '429', 429, 'json', /Rate limit/],
    ['F023', '401', 401, 'json', /unauthorized/],
    ['F023', '403', 403, 'json', /forbidden/],
    ['F024', '404', 404, 'json', /not found/],
    ['F025', '302', 302, '', /^$/],
    ['F025', '307', 307, '', /^$/],
    ['F027', 'json', 200, 'application/json', /"error":"the model is on fire"/],
    ['F028', 'html', 200, 'text/html', /Sign in/],
  ])('%s %s: status %i', async (id, variant, status, type, text) => {
    const { play } = await open();
    const answer = await play(
      id,
      variant,
      ({ bytes, body }) => bytes.includes('\r\n\r\n') && text.test(body),
    );
    expect(answer.bytes).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (type !== '') expect(answer.bytes).toMatch(new RegExp(`content-type: [^\\r]*${type}`, 'i'));
    if (id === 'F025') expect(answer.bytes).toMatch(/location: http:\/\/169\.254\.169\.254\//i);
    if (id === 'F020') expect(answer.bytes).toMatch(/retry-after: 2\r/i);
  });

  it.each([
    ['huge', '99999999'],
    ['negative', '-5'],
    ['past', 'Wed, 21 Oct 2015'],
    ['text', 'soon'],
  ])('F021: Retry-After %s', async (variant, value) => {
    const { play } = await open();
    const answer = await play('F021', variant, ({ body }) => body.includes('overloaded'));
    expect(answer.bytes).toContain(`retry-after: ${value}`);
  });

  it.each(['204', '205', '304'])('F026: %s', async (status) => {
    const { play } = await open();
    const answer = await play('F026', status, ({ bytes }) => bytes.includes('\r\n\r\n'));
    expect(answer.bytes).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.body).toBe('');
  });

  it('F027: an error as the first record', async () => {
    const { play } = await open();
    const answer = await play('F027', 'first-record', DONE);
    expect(answer.bytes).toMatch(/^HTTP\/1.1 200 /);
    expect(answer.body).toContain('the model is on fire');
    expect(dialect.isEnd(answer.body)).toBe(false);
  });

  it.each([
    ['text/plain', /content-type: text\/plain\r/i],
    ['none', /^(?!.*content-type)/is],
    ['octets', /application\/octet-stream/],
  ])('F029: the right bytes, content type %s', async (variant, form) => {
    const { play } = await open();
    const answer = await play('F029', variant, DONE);
    expect(answer.bytes.split('\r\n\r\n')[0]).toMatch(form);
    expect(dialect.isEnd(answer.body)).toBe(true);
  });

  it('F030: nothing in the body', async () => {
    const { play } = await open();
    const stream = await play(
      'F030',
      'stream',
      ({ bytes, complete }) => bytes.includes('\r\n\r\n') && complete,
    );
    expect([stream.body, stream.bytes.startsWith('HTTP/1.1 200 ')]).toEqual(['', true]);
    const length = await play('F030', 'length', ENDED);
    expect(length.bytes).toMatch(/content-length: 0\r/i);
  });

  it('F031: 101 unasked', async () => {
    const { play } = await open();
    expect((await play('F031', undefined, ENDED)).bytes).toMatch(/^HTTP\/1.1 101 Switching/);
  });

  it.each([
    ['F032', 'reset'],
    ['F033', 'fin'],
  ])('%s: headers, then %s', async (id, ending) => {
    const { play } = await open();
    const answer = await play(id, undefined, ENDED);
    expect(answer.bytes).toMatch(/^HTTP\/1.1 200 /);
    expect([answer.body, answer.complete, answer.ending]).toEqual(['', false, ending]);
  });

  it.each([
    ['F034', 'reset', 'reset', false],
    ['F034', 'half-frame', 'reset', false],
    ['F035', 'close', 'fin', false],
    ['F036', 'end', 'open', true],
    ['F045', 'close', 'fin', false],
    ['F062', 'cut', 'fin', false],
    ['F066', 'reset', 'reset', false],
    ['F100', 'reset', 'reset', false],
  ])('%s %s: whole records, and then the end of the connection', async (id, variant, ending, complete) => {
    const { play, ask } = await open();
    const answer = await play(
      id,
      variant,
      (seen) => ENDED(seen) || (seen.complete === complete && complete && DONE(seen)),
    );
    expect(answer.body).toContain('The');
    expect(answer.body).toContain(' answer');
    expect(dialect.isEnd(answer.body)).toBe(false);
    expect([answer.ending, answer.complete]).toEqual([ending, complete]);
    expect(/\n$/.test(answer.body)).toBe(
      !['F035', 'half-frame'].some((name) => [id, variant].includes(name)),
    );
    // What was wrong with one answer is not wrong with the next.
    expect(dialect.isEnd((await ask().until(DONE)).body)).toBe(true);
  });

  it('F062: everything but the last chunk', async () => {
    const { play } = await open();
    const answer = await play('F062', 'complete', ENDED);
    expect([dialect.isEnd(answer.body), answer.complete, answer.ending]).toEqual([true, false, 'fin']);
  });

  it.each([
    ['end', '東'],
    ['close', '🦙'],
  ])('F037: the body ends inside %s', async (variant, character) => {
    const { play } = await open();
    const { body } = await play('F037', variant, (seen) => ENDED(seen) || DONE(seen));
    const first = Buffer.from(character).subarray(0, 1).toString('latin1');
    expect(body.endsWith(` ${first}`)).toBe(true);
  });

  it.each(['F038', 'F040', 'F122'])('%s: every byte by itself, and the text is whole', async (id) => {
    const { play } = await open();
    const answer = await play(id, undefined, DONE);
    expect(answer.chunks.every((chunk) => chunk.length === 1)).toBe(true);
    expect(dialect.isEnd(answer.body)).toBe(true);
    if (id === 'F038') expect(utf8(answer.body)).toMatch(/Grüße[\s\S]* 東京[\s\S]*🦙/);
  });

  it('F039: half of a surrogate pair in each of two records', async () => {
    const { play } = await open();
    const { body } = await play('F039', undefined, DONE);
    expect(body).toMatch(/\\ud83e[^\n]*\n[\s\S]*\\udd99/);
  });

  it('F041: five hundred records in one write', async () => {
    const { play } = await open();
    const answer = await play('F041', undefined, DONE);
    expect(answer.body.match(/" ha"/g)).toHaveLength(500);
    expect(answer.chunks).toHaveLength(1);
  });

  it('F042: silence in the middle', async () => {
    const { server, clock, ask } = await open();
    server.fake.script(fault('F042'));
    const connection = ask();
    await connection.until(({ body }) => body.includes(' is'));
    await clock.advance(3_600_000);
    expect(connection.answer).toMatchObject({ ending: 'open', complete: false });
  });

  it.each(['after-text', 'before-text'])('F043: signs of life for ever, %s', async (variant) => {
    const { server, clock, ask } = await open();
    server.fake.script(fault('F043', variant));
    const connection = ask();
    await connection.until(
      ({ bytes, body }) => bytes.includes('\r\n\r\n') && (variant === 'before-text' || body.includes(' is')),
    );
    await server.fake.waitFor(() => clock.pending > 0);
    for (let beat = 0; beat < 20; beat++) await clock.advance(10_000);
    const { body } = await connection.until((answer) => answer.chunks.length >= 20);
    expect(body.replaceAll('\n', '|')).toMatch(
      dialect.path === '/api/chat' ? /\|{20}$/ : /(: keep-alive\|\|){20}$/,
    );
    expect(dialect.isEnd(body)).toBe(false);
  });

  it('F044: a byte a second', async () => {
    const { server, clock, ask } = await open();
    server.fake.script(fault('F044'));
    const connection = ask();
    await connection.until(({ body }) => body.length === 1);
    await clock.advance(5000);
    expect((await connection.until(({ body }) => body.length === 6)).body).toHaveLength(6);
  });

  it('F118: a kilobyte a second', async () => {
    const { server, clock, ask } = await open();
    server.fake.script(fault('F118'));
    const connection = ask();
    await connection.until(({ body }) => body.length > 0);
    await clock.advance(1000);
    const { body } = await connection.until((answer) => answer.body.length >= 600);
    expect(body.length).toBeLessThan(1200);
  });

  it('F046: a gzip body without its end', async () => {
    const { play } = await open();
    const answer = await play('F046', undefined, DONE);
    expect(answer.bytes).toMatch(/content-encoding: gzip\r/i);
    const { gunzipSync } = await import('node:zlib');
    expect(() => gunzipSync(Buffer.from(answer.body, 'latin1'))).toThrow('unexpected end of file');
  });

  it('F047: layers, and a bomb', async () => {
    const { server, ask, play } = await open();
    const layers = await play('F047', 'layers', DONE);
    expect(layers.bytes.match(/gzip/g)).toHaveLength(50);
    server.fake.script(fault('F047', 'bomb'));
    const connection = ask();
    const { body } = await connection.until((answer) => answer.chunks.length > 1);
    const { gunzipSync } = await import('node:zlib');
    const member = Buffer.from(body, 'latin1').subarray(0, connection.answer.chunks[0]?.length);
    expect(gunzipSync(member)).toHaveLength(16 * 1024 ** 2);
    expect(member.length).toBeLessThan(20_000);
  });

  it.each(['html', 'json', 'scalar', 'array'])('F048: a record that is none, %s', async (variant) => {
    const { play } = await open();
    const { body } = await play('F048', variant, DONE);
    expect(body).toMatch(
      / is"[\s\S]*\n(data: )?(<html|\{"model":"stand-in","mess|42|\[\])[^\n]*\n[\s\S]* 42/,
    );
  });

  it('F049: a line of 64 MiB', async () => {
    const { server, ask } = await open();
    server.fake.script(fault('F049'));
    const connection = ask();
    await connection.until(({ body }) => body.startsWith('aaaa'));
    expect(connection.answer.body).not.toContain('\n');
  });

  it('F050: an event without a blank line', async () => {
    const { server, ask } = await open();
    server.fake.script(fault('F050'));
    const connection = ask();
    const { body } = await connection.until((answer) => answer.body.length > 100_000);
    expect(body).toMatch(dialect.path === '/api/chat' ? /^(data)+/ : /^(data: a\n)+/);
    expect(body).not.toContain('\n\n');
  });

  it('F051: tokens without end', async () => {
    const { server, ask } = await open();
    server.fake.script(fault('F051'));
    const connection = ask();
    await connection.until(({ bytes }) => bytes.length > 50_000);
    connection.close();
    await server.fake.waitFor((report) => report.openGenerations === 0);
  });

  it('F052: two ends', async () => {
    const { play } = await open();
    expect(dialect.endCount((await play('F052', undefined, DONE)).body)).toBe(2);
  });

  it('F053: text after the end', async () => {
    const { play } = await open();
    const { body } = await play('F053', undefined, DONE);
    expect(body).toMatch(/("done":true|\[DONE\])[\s\S]* thing/);
    expect(dialect.endCount(body)).toBe(1);
  });

  it.each(['own', 'text', 'object', 'event'])('F054: an error in the middle, %s', async (variant) => {
    const { play } = await open();
    const { body } = await play('F054', variant, DONE);
    expect(body).toMatch(/ is"[\s\S]*"error"/);
    expect(dialect.isEnd(body)).toBe(false);
  });

  it('F055: half of an end', async () => {
    const { play } = await open();
    const noMarker = await play('F055', 'no-marker', DONE);
    expect(dialect.isEnd(noMarker.body)).toBe(false);
    expect(noMarker.body).toMatch(/(done|finish)_reason":"stop"/);
    const noReason = await play('F055', 'no-reason', DONE);
    expect(dialect.isEnd(noReason.body)).toBe(true);
    expect(noReason.body).not.toMatch(/(done|finish)_reason":"/);
  });

  it.each([
    ['missing', /^(?![\s\S]*_(count|tokens)")/],
    ['negative', /_(count|tokens)":-5/],
    ['not-a-number', /_(count|tokens)":NaN/],
    ['huge', /_(count|tokens)":1e300/],
    ['text', /_(count|tokens)":"many"/],
    ['fraction', /_(count|tokens)":1\.5/],
    ['null', /_(count|tokens)":null/],
    ['object', /_(count|tokens)":\{\}/],
  ])('F056: counts that are none, %s', async (variant, form) => {
    const { play } = await open();
    const { body } = await play('F056', variant, DONE);
    expect(body).toMatch(form);
    expect(dialect.endCount(body)).toBe(1);
  });

  it.each(['finished', 'cut'])('F057: half of the arguments, %s', async (variant) => {
    const { play } = await open();
    const { body } = await play('F057', variant, DONE);
    expect(body).toMatch(/get_weather[\s\S]*city\\?":\\?"Par"?\}?/);
    expect(body).not.toContain('Paris');
    expect(dialect.isEnd(body)).toBe(variant === 'finished');
  });

  it.each([
    ['huge', '1000000000'],
    ['negative', '-1'],
    ['gap', '7'],
    ['fraction', '0.5'],
    ['text', '"0"'],
  ])('F058: a tool call at %s', async (variant, index) => {
    const { play } = await open();
    expect((await play('F058', variant, DONE)).body).toContain(`"index":${index},`);
  });

  it('F058: two calls of one id, and one without a name', async () => {
    const { play } = await open();
    expect((await play('F058', 'duplicate-id', DONE)).body.match(/"call_1"/g)).toHaveLength(2);
    expect((await play('F058', 'no-name', DONE)).body).not.toContain('"name"');
  });

  it.each(['proto', 'deep', 'huge-number', 'trailing-comma', 'two-values', 'null'])(
    'F059: an edge of JSON, %s',
    async (variant) => {
      const { play } = await open();
      const [, step] = fault('F059', variant);
      const payload = step?.kind === 'frame' ? String(step.payload) : '';
      const { body } = await play('F059', variant, DONE);
      expect(body).toContain(`\n${dialect.path === '/api/chat' ? '' : 'data: '}${payload}\n`);
    },
  );

  it('F060: control characters', async () => {
    const { play } = await open();
    const { body } = await play('F060', undefined, DONE);
    expect(utf8(body)).toContain('"a\\u0000b\ufeffc\\rd\u2028e\u2029f\u202eg\\u001b[31mh"');
  });

  it('F061: a length that is too long, and one that is too short', async () => {
    const { play } = await open();
    const long = await play('F061', 'long', ENDED);
    expect(long.bytes).toMatch(/content-length: 100000\r/i);
    expect(long.body.length).toBeLessThan(100_000);
    const short = await play('F061', 'short', ENDED);
    expect(short.body.length).toBeGreaterThan(40);
  });

  it('F063: trailers', async () => {
    const { play } = await open();
    const { bytes } = await play('F063', undefined, DONE);
    expect(bytes).toMatch(/\r\n0\r\nx-late: 1\r\nset-cookie: late=1\r\nlocation: \/\r\n\r\n$/i);
  });

  it('F064: a record of another answer', async () => {
    const { play } = await open();
    expect((await play('F064', undefined, DONE)).body).toMatch(/another[\s\S]*elsewhere/);
  });

  it.each(['shape', 'prose', 'fenced', 'broken'])(
    'F065: not what the schema asks for, %s',
    async (variant) => {
      const { server } = await open();
      server.fake.script(fault('F065', variant));
      const response = await fetch(server.url + dialect.path, {
        method: 'POST',
        body: JSON.stringify({ ...dialect.body, stream: false }),
      });
      const answer = await response.json();
      const content: string = answer.message?.content ?? answer.choices[0].message.content;
      const [step] = fault('F065', variant);
      expect(content).toBe(step?.kind === 'say' ? step.text : undefined);
    },
  );

  it('F119: ten seconds between the last record and the end', async () => {
    const { server, clock, ask } = await open();
    server.fake.script(fault('F119'));
    const connection = ask();
    await connection.until(({ body }) => dialect.isEnd(body));
    await clock.advance(9999);
    expect(connection.answer.complete).toBe(false);
    await clock.advance(1);
    expect((await connection.until(DONE)).complete).toBe(true);
  });

  it.each([
    ['F120', 2000, 'fin'],
    ['F121', 500, 'reset'],
  ])('%s: silence, then the end of the connection', async (id, ms, ending) => {
    const { server, clock, ask } = await open();
    server.fake.script(fault(id));
    const connection = ask();
    await connection.until(({ body }) => body.includes(' is'));
    await clock.advance(ms - 1);
    expect(connection.answer.ending).toBe('open');
    await clock.advance(1);
    expect((await connection.until(ENDED)).ending).toBe(ending);
  });

  it.each([
    ['close', 'fin'],
    ['reset', 'reset'],
    ['end', 'open'],
  ])('F123: the body ends after 200 bytes, %s', async (variant, ending) => {
    const { play } = await open();
    const answer = await play('F123', variant, (seen) => ENDED(seen) || DONE(seen));
    expect([answer.body.length, answer.ending]).toEqual([200, ending]);
  });
});

describe('faults in process', () => {
  const playable = faults.filter(({ side, socketOnly }) => side === 'upstream' && !socketOnly);

  it.each([
    ['F001', 'ECONNREFUSED'],
    ['F006', 'ECONNRESET'],
  ])('%s looks like fetch over a socket', async (id, code) => {
    const fake = createFakeOllama();
    fake.script(fault(id));
    const failure = await fake.fetch('http://127.0.0.1/api/chat', { method: 'POST' }).catch((error) => error);
    expect(failure).toBeInstanceOf(TypeError);
    expect(failure.cause.code).toBe(code);
    expect(fake.report().requests).toEqual([]);
    expect((await fake.fetch('http://127.0.0.1/api/version')).status).toBe(200);
  });

  it.each(playable.map(({ id }) => id))('%s leaves nothing behind', async (id) => {
    const clock = createManualClock();
    const fake = createFakeOllama({ clock, tokensPerSecond: Number.POSITIVE_INFINITY });
    fake.script(fault(id));
    const leaving = new AbortController();
    const body = JSON.stringify({ model: 'stand-in', messages: [{ role: 'user', content: 'hi' }] });
    const answer = (async () => {
      const response = await fake.fetch('http://127.0.0.1/api/chat', {
        method: 'POST',
        body,
        redirect: 'manual',
        signal: leaving.signal,
      });
      const reader = response.body?.getReader();
      for (let read = 0; read < 50 && !(await reader?.read())?.done; read++);
    })().catch(() => {});
    await clock.advance(1000);
    leaving.abort();
    await answer;
    await fake.waitFor((report) => report.openGenerations === 0 && report.waiting === 0);
    fake.script(say('fine'));
    const next = await fake.fetch('http://127.0.0.1/api/chat', { method: 'POST', body });
    expect(await next.text()).toContain('"content":"fine"');
  });
});
