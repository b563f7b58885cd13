import { say, stall } from '@ziggie/llm-testing';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createServerKit, MemoryKeyStore, MemoryRevocationStore } from '../../src/index.ts';
import { closeLater } from '../stream-harness.ts';
import { chatFrame, type SocketBench, startSockets } from './socket-bench.ts';
import { refusalOf, type SocketClient } from './socket-client.ts';

const secret = 'a secret of the tests, of more than 32 bytes';
const pepper = 'a pepper of the tests, of more than 32 bytes';
const signed = (claims: Record<string, unknown> = {}) =>
  new SignJWT({ sub: 'ada', roles: ['user'], ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(new TextEncoder().encode(secret));
const auth = { jwt: { secret, issuer: false, audience: false }, keys: { pepper } } as const;
const admin = async () => ({ authorization: `Bearer ${await signed({ sub: 'root', roles: ['admin'] })}` });

/** Sockets are looked at every 5 s. */
const lookMs = 5000;

async function call(bench: SocketBench, method: string, path: string, body?: unknown): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${bench.port}/api/llm${path}`, {
    method,
    headers: { ...(await admin()), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return response.status;
}

/** Opens a stream that does not end by itself. */
async function begin(bench: SocketBench, client: SocketClient): Promise<void> {
  bench.ollama.fake.script([say('begun'), stall()]);
  client.send(chatFrame('one'));
  await client.until(() => client.text('one') === 'begun');
}

async function expectEnded(bench: SocketBench, client: SocketClient): Promise<void> {
  expect(client.closed).toBeUndefined();
  await bench.clock.advance(lookMs);
  expect((await client.untilClosed()).code).toBe(4401);
  await bench.ollama.fake.waitFor(({ openGenerations }) => openGenerations === 0);
  expect(bench.kit.gauges()).toMatchObject({ sockets: 0, activeRequests: 0, openUpstream: 0 });
}

describe('within 5 s an open socket, and what runs on it, ends with 4401', () => {
  test('when its token is revoked', async () => {
    const bench = await startSockets({ auth });
    const token = await signed();
    const headers = { authorization: `Bearer ${token}` };
    const client = await bench.openAs(['ziggie.v1'], headers);
    await begin(bench, client);
    const neighbour = await bench.openAs(['ziggie.v1'], {
      authorization: `Bearer ${await signed({ sub: 'bob' })}`,
    });
    expect(await call(bench, 'POST', '/admin/revocations', { token })).toBe(204);
    await bench.clock.advance(lookMs);
    expect((await client.untilClosed()).code).toBe(4401);
    await bench.ollama.fake.waitFor(({ openGenerations }) => openGenerations === 0);
    expect((await refusalOf(bench.openAs(['ziggie.v1'], headers))).status).toBe(401);
    expect(neighbour.closed).toBeUndefined();
  });

  test('when its token is revoked by its id', async () => {
    const issuer = 'https://issuer.example';
    const bench = await startSockets({ auth: { ...auth, jwt: { secret, issuer, audience: false } } });
    const authorization = `Bearer ${await signed({ iss: issuer, jti: 'the-one' })}`;
    const client = await bench.openAs(['ziggie.v1'], { authorization });
    await begin(bench, client);
    await bench.kit.revocations.revoke({ issuer, tokenId: 'the-one' });
    await expectEnded(bench, client);
  });

  test('when everything of its principal is revoked', async () => {
    const bench = await startSockets({ auth });
    const client = await bench.openAs(['ziggie.v1'], { authorization: `Bearer ${await signed()}` });
    await begin(bench, client);
    expect(await call(bench, 'POST', '/admin/revocations', { principalId: 'ada' })).toBe(204);
    await expectEnded(bench, client);
  });

  test.each(['itself', 'a ticket'])('when its API key is deleted, opened with %s', async (way) => {
    const bench = await startSockets({ auth });
    const key = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
    const client = await openWith(bench, key.key, way);
    await begin(bench, client);
    expect(await call(bench, 'DELETE', `/admin/keys/${key.info.id}`)).toBe(200);
    await expectEnded(bench, client);
  });

  test('an API key beside the host app’s own check, opened with a ticket', async () => {
    const bench = await startSockets({ auth: { keys: { pepper } }, authenticate: () => null });
    const key = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
    const client = await openWith(bench, key.key, 'a ticket');
    await begin(bench, client);
    await bench.kit.keys.revoke(key.info.id);
    await expectEnded(bench, client);
  });

  test('when everything of a principal is revoked whom the host app let in, opened with a ticket', async () => {
    let signedIn = true;
    const bench = await startSockets({
      auth: undefined,
      authenticate: () => (signedIn ? { id: 'ada', roles: ['user'] } : null),
    });
    const origin = `http://127.0.0.1:${bench.port}`;
    const ticket = async () =>
      ((await (await bench.post('/ws/ticket', { origin })).json()) as { ticket: string }).ticket;
    const [first, unused] = [await ticket(), await ticket()];
    // Nobody can be asked again: the ticket stands for what was said then.
    signedIn = false;
    const client = await bench.openAs(['ziggie.v1', `ticket.${first}`], { origin });
    await begin(bench, client);
    await bench.kit.revocations.revoke({ principalId: 'ada' });
    // The host app's own check is asked every 30 s.
    await bench.clock.advance(25_000);
    await expectEnded(bench, client);
    expect((await refusalOf(bench.openAs(['ziggie.v1', `ticket.${unused}`], { origin }))).status).toBe(401);
  });

  test('in another process that shares the stores, within two looks', async () => {
    const stores = { keys: new MemoryKeyStore(), revocations: new MemoryRevocationStore() };
    const bench = await startSockets({ auth, stores });
    const elsewhere = createServerKit({
      upstreams: [{ url: bench.ollama.url, slots: 64 }],
      auth,
      stores,
      doctor: false,
    });
    closeLater(() => elsewhere.close());
    const key = await elsewhere.keys.create({ ownerId: 'bob', roles: ['user'] });
    const byToken = await bench.openAs(['ziggie.v1'], { authorization: `Bearer ${await signed()}` });
    const byKey = await bench.openAs(['ziggie.v1'], { authorization: `Bearer ${key.key}` });
    await begin(bench, byToken);
    await elsewhere.revocations.revoke({ principalId: 'ada' });
    await elsewhere.keys.revoke(key.info.id);
    await bench.clock.advance(lookMs);
    await bench.clock.advance(lookMs);
    expect((await byToken.untilClosed()).code).toBe(4401);
    expect((await byKey.untilClosed()).code).toBe(4401);
  });
});

test('a socket of a ticket that stands for nothing that can be asked again comes back after an hour', async () => {
  const bench = await startSockets({ auth: undefined, authenticate: () => ({ id: 'ada', roles: ['user'] }) });
  const origin = `http://127.0.0.1:${bench.port}`;
  const { ticket } = (await (await bench.post('/ws/ticket', { origin })).json()) as { ticket: string };
  const client = await bench.openAs(['ziggie.v1', `ticket.${ticket}`], { origin });
  for (let minute = 0; minute < 59; minute++) {
    await bench.clock.advance(60_000 - lookMs);
    client.send({ type: 'ping' });
    await client.until(() => client.frames.length === minute + 1);
    await bench.clock.advance(lookMs);
  }
  expect(client.closed).toBeUndefined();
  await bench.clock.advance(70_000);
  expect((await client.untilClosed()).code).toBe(4401);
});

async function openWith(bench: SocketBench, credential: string, way: string): Promise<SocketClient> {
  const authorization = `Bearer ${credential}`;
  if (way === 'itself') return bench.openAs(['ziggie.v1'], { authorization });
  const response = await bench.post('/ws/ticket', { authorization });
  const { ticket } = (await response.json()) as { ticket: string };
  return bench.openAs(['ziggie.v1', `ticket.${ticket}`], {});
}
