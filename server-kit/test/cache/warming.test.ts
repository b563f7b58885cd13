import { expect, test } from 'vitest';
import { createServerKit, MemoryCacheStore } from '../../src/index.ts';
import { prompt, SetClock } from '../harness.ts';
import { startLine } from '../queue/lines-bench.ts';
import { until } from '../stream-harness.ts';
import { readOf, repeatable, startCached, tenants } from './cached-kit.ts';

const generate = { ...prompt, options: { seed: 3 } };

test('what is to be warm is asked at the start and is a hit for its tenant only', async () => {
  const kit = await startCached({
    cache: { warm: [{ tenant: 'acme', request: repeatable }, { request: generate }] },
  });
  await until(() => kit.logs.length === 2);
  expect(kit.logs.map(({ fields }) => fields)).toMatchObject([
    { method: 'WARM', outcome: 'ok', principal: 'cache.warm', tenant: 'acme', cache: 'miss' },
    { method: 'WARM', outcome: 'ok', principal: 'cache.warm', cache: 'miss' },
  ]);
  const { generations } = kit;
  expect((await readOf(await kit.as({ tenant: 'acme' }, '/chat', repeatable))).cache).toBe('hit');
  expect((await readOf(await kit.as({ tenant: undefined } as never, '/generate', generate))).cache).toBe(
    'hit',
  );
  expect(kit.generations).toBe(generations);
  expect((await readOf(await kit.as({ tenant: 'umbrella' }, '/chat', repeatable))).cache).toBe('miss');
});

test('what is kept already is asked of no model, and what fails keeps nobody from the next', async () => {
  const store = new MemoryCacheStore(new SetClock());
  const warm = [
    { tenant: 'acme', request: { ...repeatable, model: 'no-such-model' } },
    { tenant: 'acme', request: repeatable },
  ];
  for (const cache of ['miss', 'hit']) {
    const kit = await startCached({ stores: { cache: store }, cache: { warm } });
    await until(() => kit.logs.length === 2);
    expect(kit.logs.map(({ fields }) => fields)).toMatchObject([
      { outcome: 'failed', code: 'model_not_found' },
      { outcome: 'ok', cache },
    ]);
    expect(kit.generations).toBe(cache === 'miss' ? 1 : 0);
  }
});

test('it waits behind everybody, and a kit that closes ends it', async () => {
  const request = { ...repeatable, model: 'raw' };
  const again = { ...request, options: { seed: 2 } };
  const line = await startLine({ cache: { warm: [{ request }, { request: again }] } });
  // The first one has the only place; somebody comes, and goes before the second.
  await line.asked(0);
  const ada = line.read('ada');
  await until(() => line.kit.gauges().queued === 1);
  await line.answer(0);
  await line.asked(1);
  expect(JSON.parse((await line.asked(1)).body).messages[0].content).not.toBe('What is a lease?');
  await until(() => line.kit.gauges().queued === 1);
  const closing = line.kit.close({ drainMs: 5000 });
  await line.answer(1);
  expect(await ada).toContain('"done"');
  await closing;
  expect(line.raw.exchanges).toHaveLength(2);
});

test.each([
  [
    { warm: [{ request: { ...repeatable, options: {} } }] },
    'cache.warm.0.request: must have a temperature of 0',
  ],
  [
    { warm: [{ request: repeatable }, { request: { model: 'x' } }] },
    'cache.warm.1.request: The request is not',
  ],
  [{ warm: [{ request: repeatable }], scope: 'user' }, 'cache.warm: is nobody’s'],
  [{ warm: [{ request: repeatable }], keep: false }, 'cache.warm: keeps nothing'],
  [{ warm: [{ request: repeatable, model: 'x' }] }, 'cache.warm.0'],
] as const)('what would never be a hit is refused: %j', (cache, words) => {
  const upstreams = [{ url: 'http://127.0.0.1:9' }];
  expect(() => createServerKit({ ...tenants, upstreams, cache: cache as never })).toThrow(words);
});
