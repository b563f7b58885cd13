import { createServerKit } from '../../src/index.ts';
import { createRedisStores } from '../../src/stores-redis.ts';

/**
 * One of several processes that share a quota: opens streams at once through a kit of its own, and writes what came of them.
 * Arguments: URL of the model server, URL of Redis, number of streams, tokens of the quota.
 */
const [upstream = '', redis = '', streams = '0', limit = '0'] = process.argv.slice(2);
const { stores, close } = createRedisStores({ url: redis, nodes: 4, deadlineMs: 5000 });
const kit = createServerKit({
  upstreams: [{ url: upstream, slots: 64 }],
  authenticate: () => ({ id: 'ada', roles: ['user'] }),
  cors: { origins: ['http://app.example'] },
  stores: { limits: stores.limits },
  limits: {
    requestsPerMinute: 10_000,
    maxInFlight: 1000,
    rules: [{ name: 'tokens', per: 'user', unit: 'totalTokens', window: 'month', limit: Number(limit) }],
  },
});
while (!(await stores.revocations.revokedAt(['x']).catch(() => undefined))) {
  await new Promise((resolve) => setTimeout(resolve, 10));
}

async function one(): Promise<{ status: number; end: string; tokens: number }> {
  const request = new Request('http://ziggie.invalid/', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'http://app.example' },
    body: JSON.stringify({
      model: 'stand-in',
      messages: [{ role: 'user', content: 'Hello' }],
      max_tokens: 400,
    }),
  });
  const connection = { remoteAddress: '127.0.0.1', encrypted: false, target: '/chat', rawHeaders: [] };
  const response = (await kit.handle(request, connection)) as Response;
  const text = await response.text();
  if (response.status !== 200) return { status: response.status, end: 'refused', tokens: 0 };
  const events = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { type: string });
  return {
    status: 200,
    end: events.at(-1)?.type ?? '',
    tokens: events.filter(({ type }) => type === 'text-delta').length,
  };
}

const results: Awaited<ReturnType<typeof one>>[] = [];
// Again and again until nothing is left: what a stream gives back is there for the next one.
for (let round = 0; round < 4; round++) {
  results.push(...(await Promise.all(Array.from({ length: Number(streams) }, one))));
}
await kit.close();
close();
process.stdout.write(JSON.stringify(results));
