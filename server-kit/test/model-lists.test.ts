import { describe, expect, test } from 'vitest';
import { audience, issuer, problemIn, secret, startBench } from './harness.ts';

const pepper = 'a pepper of the tests, of more than 32 bytes';
const auth = { jwt: { secret, issuer, audience }, keys: { pepper } } as const;
const models = ['llama3:8b', 'llama3.2:1b', 'llama3-evil/llama3:1b', 'llama3/model:1b', 'team/model:1b'];
const own = ['llama3:8b', 'llama3.2:1b'];

describe('a beginning in a list of models reaches into no namespace', () => {
  const start = () =>
    startBench(
      {
        auth,
        roles: {
          user: { permissions: ['chat', 'models:read'], models: ['llama3*'] },
          member: { permissions: ['chat', 'models:read'], models: ['team/*'] },
          all: { permissions: ['chat', 'models:read'] },
        },
      },
      { models },
    );

  async function usableWith(bench: Awaited<ReturnType<typeof start>>, token: string) {
    const list = (await (await bench.answer('/models', { token })).json()) as { models: { name: string }[] };
    const answered: string[] = [];
    for (const model of models) {
      const answer = await bench.chat({ model, stream: false }, { token });
      if (answer.status === 200) answered.push(model);
      else expect(await problemIn(answer)).toMatchObject({ code: 'model_not_found' });
    }
    expect(list.models.map(({ name }) => name).sort()).toEqual([...answered].sort());
    return answered;
  }

  test('of a role', async () => {
    const bench = await start();
    expect(await usableWith(bench, await bench.token({ roles: ['user'] }))).toEqual(own);
    expect(await usableWith(bench, await bench.token({ roles: ['member'] }))).toEqual(['team/model:1b']);
    expect(await usableWith(bench, await bench.token({ roles: ['all'] }))).toEqual(models);
  });

  test('of an API key', async () => {
    const bench = await start();
    const { key } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['all'], models: ['llama3*'] });
    expect(await usableWith(bench, key)).toEqual(own);
    await expect(bench.kit.keys.create({ ownerId: 'ada', roles: ['all'], models: ['*3'] })).rejects.toThrow(
      TypeError,
    );
  });
});

test('a limit on a beginning covers the namespaces that begin so, too', async () => {
  const rule = { per: 'user', unit: 'requests', window: 'day', limit: 1, models: ['llama3*'] } as const;
  const bench = await startBench({ limits: { rules: [rule] } }, { models });
  expect((await bench.chat({ model: 'llama3-evil/llama3:1b', stream: false })).status).toBe(200);
  expect((await bench.chat({ model: 'llama3:8b', stream: false })).status).toBe(429);
  expect((await bench.chat({ model: 'team/model:1b', stream: false })).status).toBe(200);
});

test.each([
  ['roles', { roles: { user: { permissions: ['chat'], models: ['*-70b'] } } }],
  [
    'limits',
    { limits: { rules: [{ per: 'user', unit: 'requests', window: 'day', limit: 1, models: ['a*b'] }] } },
  ],
  ['prices', { prices: { 'a*b': { inputPerMillion: 1, outputPerMillion: 1 } } }],
  ['cache', { cache: { models: ['a**'] } }],
  ['modelAdmin', { modelAdmin: { pull: ['*a'] } }],
  ['continuation', { continuation: { models: ['*a*'] } }],
] as const)('a "*" that would name nothing is no option of %s', async (_where, options) => {
  await expect(startBench(options as Parameters<typeof startBench>[0])).rejects.toThrow(TypeError);
});
