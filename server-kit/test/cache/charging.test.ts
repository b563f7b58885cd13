import { expect, test } from 'vitest';
import type { ServerKitOptions } from '../../src/index.ts';
import { type Bench, problemIn } from '../harness.ts';
import { readOf, repeatable, startCached, tenants, type Who } from './cached-kit.ts';
import { ada, bob, cacheOf, startShared } from './shared-kit.ts';

const perDay = (limit: number): NonNullable<ServerKitOptions['limits']> => ({
  ...tenants.limits,
  rules: [
    { name: 'tokens', per: 'user', unit: 'totalTokens', window: 'day', limit },
    { name: 'gpu', per: 'user', unit: 'gpuSeconds', window: 'day', limit: 1000 },
  ],
});
const much = 100_000;

/** What somebody has used. */
async function usedBy(kit: Bench, who: Who) {
  const token = await kit.token({ tenant: 'acme', roles: ['user'], ...who });
  const { limits } = (await (await kit.answer('/me/limits', { token })).json()) as {
    limits: { name: string; limit: number; left: number }[];
  };
  return Object.fromEntries(limits.map(({ name, limit, left }) => [name, limit - left]));
}

test('an answer that was kept costs no token and no GPU time', async () => {
  const kit = await startCached({ limits: perDay(much) });
  await readOf(await kit.as(ada, '/chat', repeatable));
  expect((await readOf(await kit.as(bob, '/chat', repeatable))).cache).toBe('hit');
  const [first, second] = [await usedBy(kit, ada), await usedBy(kit, bob)];
  expect(first['tokens']).toBeGreaterThan(10);
  expect(second).toMatchObject({ tokens: 0, gpu: 0 });
});

test('a kept answer counts as a request, and over its quota nobody gets it', async () => {
  const kit = await startCached({
    limits: {
      ...tenants.limits,
      rules: [{ name: 'asked', per: 'user', unit: 'requests', window: 'day', models: ['*'], limit: 2 }],
    },
  });
  await readOf(await kit.as(ada, '/chat', repeatable));
  for (let at = 0; at < 2; at++) {
    expect((await readOf(await kit.as(bob, '/chat', repeatable))).cache).toBe('hit');
  }
  expect((await problemIn(await kit.as(bob, '/chat', repeatable))).code).toBe('quota_exceeded');
});

test('a shared generation is charged to whoever began it, and to nobody else', async () => {
  const { pacer, node, read } = await startShared({ limits: perDay(much) });
  const first = await read(ada, { begins: true });
  await pacer.say('a', 'b');
  await first.pieces(2);
  const second = await read(bob);
  await second.pieces(2);
  await pacer.finish();
  await Promise.all([first.rest(), second.rest()]);
  expect(await usedBy(node, ada)).toMatchObject({ tokens: 7 });
  expect(await usedBy(node, bob)).toMatchObject({ tokens: 0, gpu: 0 });
});

test('when whoever began it leaves, the next one pays for the rest, and no token is paid for twice', async () => {
  const { pacer, node, read } = await startShared({ limits: perDay(much) });
  const first = await read(ada, { begins: true });
  await pacer.say('a');
  await first.pieces(1);
  const second = await read(bob);
  await second.pieces(1);
  await first.leave();
  await pacer.say('b');
  await pacer.finish();
  await second.rest();
  expect(second.said).toBe('ab');
  const [of, by] = [await usedBy(node, ada), await usedBy(node, bob)];
  // The reading of the prompt as it was estimated, and one token.
  expect(of['tokens']).toBeGreaterThan(1);
  expect(by['tokens']).toBe(1);
});

test('when whoever began it leaves, its tokens are counted all the same, once, and in the log line of who paid last', async () => {
  const { pacer, node, read } = await startShared({ limits: perDay(much) });
  const first = await read(ada, { begins: true });
  await pacer.say('a');
  await first.pieces(1);
  const [second, third] = [await read(bob), await read({ sub: 'grace' })];
  await first.leave();
  await pacer.say('b');
  await pacer.finish();
  await Promise.all([second.rest(), third.rest()]);
  const token = await node.token({ sub: 'root', roles: ['admin'] });
  const text = await (await node.answer('/metrics', { token })).text();
  const counted = Object.fromEntries(
    [...text.matchAll(/^ziggie_llm_tokens_total\{model="raw(?::latest)?",type="(\w+)"\} (\d+)$/gm)].map(
      ([, type, count]) => [type, Number(count)],
    ),
  );
  // As the model server told at the end.
  expect(counted).toEqual({ input: 5, output: 2 });
  const lines = node.logs.map(({ fields }) => fields).filter(({ route }) => route === '/chat');
  expect(
    lines.map(({ principal, outcome, outputTokens }) => [principal, outcome, outputTokens]).sort(),
  ).toEqual([
    ['ada', 'left', undefined],
    ['bob', 'ok', 2],
    ['grace', 'ok', undefined],
  ]);
  expect(lines.find(({ principal }) => principal === 'bob')).toMatchObject({ upstream: expect.any(String) });
});

test('a quota that runs out ends the one whose it is and no other', async () => {
  const { pacer, read } = await startShared({
    limits: {
      ...tenants.limits,
      rules: [
        { name: 'poor', per: 'user', unit: 'outputTokens', window: 'day', limit: 5000, roles: ['user'] },
      ],
    },
  });
  // The model server writes more than it was allowed to.
  const first = await read(ada, { begins: true });
  const second = await read({ ...bob, roles: ['admin'] });
  expect(cacheOf(second)).toBe('coalesced');
  await pacer.say(...Array.from({ length: 4097 }, () => 'x'));
  expect((await first.rest()).at(-1)).toMatchObject({ type: 'error', code: 'quota_exceeded' });
  await pacer.finish();
  await second.rest();
  expect(second.events.at(-1)?.type).toBe('done');
  expect(second.said.length).toBe(4097);
});

test('who may have a shorter answer shares it with nobody who may have all of it', async () => {
  const { pacer, read } = await startShared({
    limits: {
      ...tenants.limits,
      rules: [{ name: 'poor', per: 'user', unit: 'outputTokens', window: 'day', limit: 50, roles: ['user'] }],
    },
  });
  const first = await read(ada, { begins: true });
  const second = await read({ ...bob, roles: ['admin'] }, { begins: true });
  expect(pacer.generations).toBe(2);
  expect(JSON.parse((await pacer.exchange(0)).body).options.num_predict).toBe(50);
  expect(JSON.parse((await pacer.exchange(1)).body).options.num_predict).toBe(4096);
  await first.leave();
  await second.leave();
});
