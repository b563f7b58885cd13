import { say, stall } from '@ziggie/llm-testing';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { MemoryTicketStore, type TicketRecord } from '../../src/index.ts';
import { RawClient } from '../doors/raw-client.ts';
import { token, until } from '../stream-harness.ts';
import { chatFrame, startSockets } from './socket-bench.ts';
import { refusalOf } from './socket-client.ts';

const secret = new TextEncoder().encode('a secret of the tests, of more than 32 bytes');
const signed = (claims: Record<string, unknown>, lifeSeconds = 7200) =>
  new SignJWT({ sub: 'ada', roles: ['user'], ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(Math.floor(Date.now() / 1000) + lifeSeconds)
    .sign(secret);

const auth = async () => ({ authorization: `Bearer ${await token()}` });
const page = (port: number) => `http://127.0.0.1:${port}`;

async function ticketFor(bench: Awaited<ReturnType<typeof startSockets>>, headers = {}): Promise<string> {
  const response = await bench.post('/ws/ticket', { ...(await auth()), ...headers });
  expect(response.status).toBe(200);
  const body = (await response.json()) as { ticket: string; expiresInMs: number };
  expect(body.expiresInMs).toBe(30_000);
  expect(Buffer.from(body.ticket, 'base64url')).toHaveLength(32);
  return body.ticket;
}

describe('an upgrade is refused before any 101', () => {
  test.each([
    ['without a credential', {}, 401],
    ['with a token that is not one', { authorization: 'Bearer nonsense' }, 401],
    ['with Basic', { authorization: 'Basic YTpi' }, 401],
  ])('%s: 401', async (_name, headers, status) => {
    const bench = await startSockets();
    const refused = await refusalOf(bench.openAs(['ziggie.v1'], headers as Record<string, string>));
    expect(refused.status).toBe(status);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'unauthorized' });
    expect(bench.kit.gauges().sockets).toBe(0);
    expect(bench.log.at(-1)).toMatchObject({ route: '/ws', outcome: 'refused', status: 401 });
  });

  test('of a role that may not chat: 403', async () => {
    const bench = await startSockets();
    const headers = { authorization: `Bearer ${await signed({ roles: ['guest'] })}` };
    expect((await refusalOf(bench.openAs(['ziggie.v1'], headers))).status).toBe(403);
  });

  test.each(['https://evil.example', 'null', 'http://127.0.0.1:1', 'https://127.0.0.1.evil.example', '*'])(
    'from a page of %s: 403, whatever its credential',
    async (origin) => {
      const bench = await startSockets();
      expect((await refusalOf(bench.open({ origin }))).status).toBe(403);
      const ticket = await ticketFor(bench, { origin: page(bench.port) });
      expect((await refusalOf(bench.openAs(['ziggie.v1', `ticket.${ticket}`], { origin }))).status).toBe(403);
    },
  );

  test('from this host or a listed origin it is let in', async () => {
    const bench = await startSockets({ cors: { origins: ['https://app.example'] } });
    (await bench.open({ origin: page(bench.port) })).socket.close();
    (await bench.open({ origin: 'https://app.example' })).socket.close();
  });

  test('with two credentials: 400', async () => {
    const bench = await startSockets();
    const ticket = await ticketFor(bench);
    const refused = await refusalOf(bench.openAs(['ziggie.v1', `ticket.${ticket}`], await auth()));
    expect(refused.status).toBe(400);
  });

  test('above the address limit: 429 with Retry-After', async () => {
    const bench = await startSockets({ limits: { requestsPerMinutePerAddress: 1 } });
    (await bench.open()).socket.close();
    const refused = await refusalOf(bench.open());
    expect(refused.status).toBe(429);
    expect(refused.headers['retry-after']).toBeDefined();
  });

  test('above the sockets of a principal: 429; another one gets in, and a closed one makes room', async () => {
    const bench = await startSockets({ sockets: { maxPerPrincipal: 2 } });
    const first = await bench.open();
    await bench.open();
    expect((await refusalOf(bench.open())).status).toBe(429);
    await bench.openAs(['ziggie.v1'], { authorization: `Bearer ${await signed({ sub: 'bob' })}` });
    first.socket.terminate();
    await until(() => bench.kit.gauges().sockets === 2);
    await bench.open();
  });

  test('above the sockets of the process: 503', async () => {
    const bench = await startSockets({ sockets: { maxOpen: 1 } });
    await bench.open();
    expect((await refusalOf(bench.open())).status).toBe(503);
  });

  test('that is no handshake: 400, and nothing is kept', async () => {
    const bench = await startSockets({ sockets: { maxOpen: 2, maxPerPrincipal: 2 } });
    for (let at = 0; at < 5; at++) {
      const client = await RawClient.open(bench.port);
      client.send(
        `GET /api/llm/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 7\r\nAuthorization: Bearer ${await token()}\r\n\r\n`,
      );
      await client.untilText('HTTP/1.1 400');
      client.leave();
    }
    expect(bench.kit.gauges().sockets).toBe(0);
    await bench.open();
  });
});

describe('tickets', () => {
  test('open one socket, once, and are never echoed', async () => {
    const bench = await startSockets();
    const ticket = await ticketFor(bench);
    const client = await bench.openAs(['ziggie.v1', `ticket.${ticket}`], {});
    expect(client.socket.protocol).toBe('ziggie.v1');
    client.send(chatFrame('one'));
    expect((await client.ended('one')).type).toBe('done');
    expect((await refusalOf(bench.openAs(['ziggie.v1', `ticket.${ticket}`], {}))).status).toBe(401);
    expect(JSON.stringify(bench.log)).not.toContain(ticket);
  });

  test('are good for 30 s', async () => {
    const bench = await startSockets();
    const [early, late] = [await ticketFor(bench), await ticketFor(bench)];
    await bench.clock.advance(29_900);
    await bench.openAs(['ziggie.v1', `ticket.${early}`], {});
    await bench.clock.advance(100);
    expect((await refusalOf(bench.openAs(['ziggie.v1', `ticket.${late}`], {}))).status).toBe(401);
  });

  test('are bound to the page that asked', async () => {
    const bench = await startSockets({ cors: { origins: ['https://app.example', 'https://other.example'] } });
    const ticket = await ticketFor(bench, { origin: 'https://app.example' });
    const opening = bench.openAs(['ziggie.v1', `ticket.${ticket}`], { origin: 'https://other.example' });
    expect((await refusalOf(opening)).status).toBe(401);
    const second = await ticketFor(bench, { origin: 'https://app.example' });
    expect((await refusalOf(bench.openAs(['ziggie.v1', `ticket.${second}`], {}))).status).toBe(401);
    const third = await ticketFor(bench, { origin: 'https://app.example' });
    await bench.openAs(['ziggie.v1', `ticket.${third}`], { origin: 'https://app.example' });
  });

  test.each(['', 'x', 'A'.repeat(43), '../../etc', 'A'.repeat(5000)])('%j is none: 401', async (ticket) => {
    const bench = await startSockets();
    const wire = ticket === '' ? 'ticket.' : `ticket.${ticket.replaceAll('/', '-')}`;
    expect((await refusalOf(bench.openAs(['ziggie.v1', wire], {}))).status).toBe(401);
  });

  test('without a credential there is none', async () => {
    const bench = await startSockets();
    expect((await bench.post('/ws/ticket')).status).toBe(401);
  });

  test('what a store sees holds neither the ticket nor the token', async () => {
    const seen: unknown[] = [];
    class Store extends MemoryTicketStore {
      override put(key: string, record: TicketRecord, lifeMs: number) {
        seen.push({ key, record });
        return super.put(key, record, lifeMs);
      }
    }
    const bench = await startSockets({
      stores: { tickets: new Store({ now: () => 0, wallNow: () => 0, setTimer: () => () => {} }) },
    });
    const headers = await auth();
    const { ticket } = (await (await bench.post('/ws/ticket', headers)).json()) as { ticket: string };
    const text = JSON.stringify(seen);
    expect(text).not.toContain(ticket);
    expect(text).not.toContain(headers.authorization.slice(7));
    expect(text).not.toContain(Buffer.from(headers.authorization).toString('base64url').slice(4, 40));
    await bench.openAs(['ziggie.v1', `ticket.${ticket}`], {});
  });

  test('a store in memory is bounded and forgets what is too old', async () => {
    let now = 0;
    const store = new MemoryTicketStore({ now: () => now, wallNow: () => 0, setTimer: () => () => {} }, 3);
    const record = { principal: { id: 'a', roles: [] }, origin: null, sealedCredential: null, issuedAtMs: 0 };
    for (const key of ['a', 'b', 'c', 'd']) await store.put(key, record, 10);
    expect(store.size).toBe(3);
    expect(await store.take('a')).toBeUndefined();
    expect(await store.take('d')).toBe(record);
    expect(await store.take('d')).toBeUndefined();
    now = 10;
    expect(await store.take('c')).toBeUndefined();
    await store.put('e', record, 10);
    expect(store.size).toBe(1);
  });
});

describe('the end of a credential', () => {
  test('closes the socket with 4401 and stops what runs', async () => {
    const bench = await startSockets();
    bench.ollama.fake.script([say('a'), stall()]);
    const client = await bench.openAs(['ziggie.v1'], { authorization: `Bearer ${await signed({}, 60)}` });
    client.send(chatFrame('one'));
    await client.until(() => client.text('one') === 'a');
    // The leeway of clocks is 30 s.
    await bench.clock.advance(85_000);
    expect(client.closed).toBeUndefined();
    await bench.clock.advance(10_000);
    expect((await client.untilClosed()).code).toBe(4401);
    await bench.ollama.fake.waitFor((report) => report.openGenerations === 0);
  });

  test('is no end when a newer token of the same principal came in time', async () => {
    const bench = await startSockets();
    const client = await bench.openAs(['ziggie.v1'], { authorization: `Bearer ${await signed({}, 60)}` });
    client.send({ type: 'auth', token: await signed({}, 3600) });
    client.send({ type: 'ping' });
    await client.until(() => client.frames.length === 1);
    for (let at = 0; at < 12; at++) {
      await bench.clock.advance(10_000);
      client.send({ type: 'ping' });
      await client.until(() => client.frames.length === at + 2);
    }
    client.send(chatFrame('one'));
    expect((await client.ended('one')).type).toBe('done');
  });

  test('a token of somebody else closes it with 4403, a bad one with 4401', async () => {
    const bench = await startSockets();
    const client = await bench.open();
    client.send({ type: 'auth', token: await signed({ sub: 'eve' }) });
    expect((await client.untilClosed()).code).toBe(4403);
    const other = await bench.open();
    other.send({ type: 'auth', token: 'nonsense' });
    expect((await other.untilClosed()).code).toBe(4401);
  });

  test('reaches a socket that was opened with a ticket', async () => {
    const bench = await startSockets();
    const response = await bench.post('/ws/ticket', { authorization: `Bearer ${await signed({}, 60)}` });
    const { ticket } = (await response.json()) as { ticket: string };
    const client = await bench.openAs(['ziggie.v1', `ticket.${ticket}`], {});
    await bench.clock.advance(95_000);
    expect((await client.untilClosed()).code).toBe(4401);
  });

  test('a host app that takes a session back ends its sockets', async () => {
    let signedIn = true;
    const bench = await startSockets({
      auth: undefined,
      authenticate: () => (signedIn ? { id: 'ada', roles: ['user'] } : null),
    });
    const origin = page(bench.port);
    expect((await refusalOf(bench.openAs(['ziggie.v1'], {}))).status).toBe(403);
    const client = await bench.openAs(['ziggie.v1'], { origin });
    client.send(chatFrame('one'));
    expect((await client.ended('one')).type).toBe('done');
    signedIn = false;
    client.send(chatFrame('two'));
    expect(await client.ended('two')).toMatchObject({ code: 'unauthorized', status: 401 });
    expect((await client.untilClosed()).code).toBe(4401);
    signedIn = true;
    const idle = await bench.openAs(['ziggie.v1'], { origin });
    signedIn = false;
    await bench.clock.advance(31_000);
    expect((await idle.untilClosed()).code).toBe(4401);
  });
});

describe('a token in the first frame', () => {
  test('is refused unless the operator allows it', async () => {
    const bench = await startSockets();
    expect((await refusalOf(bench.openAs(['ziggie.v1'], {}))).status).toBe(401);
  });

  test('opens the socket where it is allowed', async () => {
    const bench = await startSockets({ sockets: { allowFirstFrameAuth: true } });
    const client = await bench.openAs(['ziggie.v1'], {});
    client.send({ type: 'auth', token: await token() });
    await until(() => bench.log.length > 1);
    client.send(chatFrame('one'));
    expect((await client.ended('one')).type).toBe('done');
  });

  test('must come within 5 s, before anything else, and be good', async () => {
    const bench = await startSockets({ sockets: { allowFirstFrameAuth: true } });
    const silent = await bench.openAs(['ziggie.v1'], {});
    const eager = await bench.openAs(['ziggie.v1'], {});
    const wrong = await bench.openAs(['ziggie.v1'], {});
    eager.send(chatFrame('one'));
    wrong.send({ type: 'auth', token: 'nonsense' });
    expect((await eager.untilClosed()).code).toBe(4401);
    expect((await wrong.untilClosed()).code).toBe(4401);
    await bench.clock.advance(5_000);
    expect((await silent.untilClosed()).code).toBe(4408);
    expect(bench.ollama.fake.report().requests).toEqual([]);
  });
});

describe('a token in the address', () => {
  test('is refused unless the operator allows it', async () => {
    const bench = await startSockets();
    const refused = await refusalOf(bench.openAs(['ziggie.v1'], {}, `?token=${await token()}`));
    expect(refused.status).toBe(400);
  });

  test('opens the socket where it is allowed, and stands in no log', async () => {
    const bench = await startSockets({ sockets: { allowQueryToken: true } });
    const given = await token();
    const client = await bench.openAs([], {}, `?token=${given}`);
    client.send(chatFrame('one'));
    expect((await client.ended('one')).type).toBe('done');
    expect((await refusalOf(bench.openAs([], {}, '?token=nonsense'))).status).toBe(401);
    expect((await refusalOf(bench.openAs([], {}, `?token=${given}&x=1`))).status).toBe(400);
    expect(JSON.stringify(bench.log)).not.toContain(given.slice(0, 20));
  });
});
