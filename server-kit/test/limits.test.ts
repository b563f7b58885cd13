import { say, stall } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { type Ask, type Bench, eventsIn, problemIn, startBench } from './harness.ts';

const from = (remoteAddress: string, ask: Ask = {}): Ask => ({ ...ask, connection: { remoteAddress } });

async function statuses(bench: Bench, count: number, ask: Ask = {}): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < count; index++) {
    const response = await bench.answer('/models', ask);
    await response.text();
    seen.push(response.status);
  }
  return seen;
}

describe('requests per principal', () => {
  test('a burst, then 429 with what to wait for, then one more when it is time', async () => {
    const bench = await startBench({ limits: { requestsPerMinute: 3 } });
    expect(await statuses(bench, 3)).toEqual([200, 200, 200]);
    const refused = await bench.answer('/models');
    expect(refused.headers.get('retry-after')).toBe('20');
    expect(refused.headers.get('ratelimit-policy')).toBe('"principal";q=3;w=60');
    expect(refused.headers.get('ratelimit')).toBe('"principal";r=0;t=60');
    const problem = await problemIn(refused);
    expect(problem).toMatchObject({
      code: 'rate_limited',
      status: 429,
      retryable: true,
      retryAfterMs: 20_000,
    });
    bench.clock.advance(19_999);
    expect(await statuses(bench, 1)).toEqual([429]);
    bench.clock.advance(1);
    expect(await statuses(bench, 2, { token: await bench.token() })).toEqual([200, 429]);
  });

  test('good answers say how much is left', async () => {
    const bench = await startBench({ limits: { requestsPerMinute: 3 } });
    const left = [];
    for (let index = 0; index < 3; index++)
      left.push((await bench.answer('/models')).headers.get('ratelimit'));
    expect(left).toEqual(['"principal";r=2;t=20', '"principal";r=1;t=40', '"principal";r=0;t=60']);
  });

  test('refusals do not make the wait longer', async () => {
    const bench = await startBench({ limits: { requestsPerMinute: 1 } });
    await statuses(bench, 20);
    bench.clock.advance(60_000);
    expect(await statuses(bench, 1, { token: await bench.token() })).toEqual([200]);
  });

  test('a caller whose roles allow nothing is limited like any other', async () => {
    const bench = await startBench({ limits: { requestsPerMinute: 2 } });
    expect(await statuses(bench, 3, { token: await bench.token({ roles: [] }) })).toEqual([403, 403, 429]);
  });

  test('principals do not share, and a new token is no new principal', async () => {
    const bench = await startBench({ limits: { requestsPerMinute: 1 } });
    expect(await statuses(bench, 2)).toEqual([200, 429]);
    expect(await statuses(bench, 1, { token: await bench.token({ jti: 'new' }) })).toEqual([429]);
    expect(await statuses(bench, 1, { token: await bench.token({ sub: 'grace' }) })).toEqual([200]);
  });

  test('a credential that is wrong costs nobody anything', async () => {
    const bench = await startBench({ limits: { requestsPerMinute: 1 } });
    const forged = `${(await bench.token()).slice(0, -8)}AAAAAAAA`;
    expect(await statuses(bench, 3, { token: forged })).toEqual([401, 401, 401]);
    expect(await statuses(bench, 1)).toEqual([200]);
  });

  test('60 a minute unless told otherwise, Infinity is no limit', async () => {
    const usual = await startBench();
    expect((await usual.answer('/models')).headers.get('ratelimit-policy')).toBe('"principal";q=60;w=60');
    const free = await startBench({ limits: { requestsPerMinute: Number.POSITIVE_INFINITY } });
    expect((await free.answer('/models')).headers.get('ratelimit')).toBeNull();
    expect(new Set(await statuses(free, 100))).toEqual(new Set([200]));
  });
});

describe('requests per address', () => {
  const limits = { requestsPerMinutePerAddress: 2 };

  test('are 600 a minute unless told otherwise', async () => {
    const bench = await startBench();
    for (let at = 0; at < 600; at++) {
      if ((await bench.answer('/health/live', { token: null })).status !== 200)
        throw new Error(`refused ${at}`);
    }
    expect((await bench.answer('/health/live', { token: null })).status).toBe(429);
  });

  test('are refused before a credential is looked at, public routes too', async () => {
    const bench = await startBench({ limits });
    expect(await statuses(bench, 2, { token: null })).toEqual([401, 401]);
    const refused = await bench.answer('/models');
    expect(refused.headers.get('ratelimit-policy')).toBe('"address";q=2;w=60');
    expect(refused.headers.get('retry-after')).toBe('30');
    const problem = await problemIn(refused);
    expect(problem.code).toBe('rate_limited');
    expect(problem.detail).toContain('from this address');
    expect(JSON.stringify([problem, bench.logs])).not.toContain('203.0.113.7');
    expect((await bench.answer('/health/live', { token: null })).status).toBe(429);
  });

  test.each([
    ['another IPv4 address', '198.51.100.1', '198.51.100.2', 200],
    ['the same address written as IPv6', '198.51.100.1', '::ffff:198.51.100.1', 429],
    ['another address of the same /64', '2001:db8:0:1::1', '2001:db8:0:1:ffff::2', 429],
    ['another /64', '2001:db8:0:1::1', '2001:db8:0:2::1', 200],
  ])('count %s rightly', async (_what, first, second, status) => {
    const bench = await startBench({ limits });
    await statuses(bench, 2, from(first));
    expect(await statuses(bench, 1, from(second))).toEqual([status]);
  });
});

describe('answers at once', () => {
  test('are 8 unless told otherwise', async () => {
    const bench = await startBench({}, { slotsPerModel: 20 });
    bench.ollama.fake.script([say('begun'), stall()], { times: 9 });
    const running = await Promise.all(Array.from({ length: 8 }, () => bench.chat()));
    expect(running.map(({ status }) => status)).toEqual(new Array(8).fill(200));
    expect((await problemIn(await bench.chat())).code).toBe('too_many_in_flight');
    for (const one of running) await one.body?.cancel();
  });

  test('the next one is 429 until one ends, however it ends', async () => {
    const bench = await startBench({ limits: { maxInFlight: 2 } }, { slotsPerModel: 4 });
    bench.ollama.fake.script([say('begun'), stall()], { times: 2 });
    const leaving = new AbortController();
    const first = await bench.chat({}, { signal: leaving.signal });
    const second = await bench.chat();
    const refused = await bench.chat();
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await problemIn(refused)).toMatchObject({
      code: 'too_many_in_flight',
      status: 429,
      retryable: true,
    });
    // Somebody else is not in the way of it.
    const other = await bench.chat({}, { token: await bench.token({ sub: 'grace' }) });
    expect((await eventsIn(other)).at(-1)?.type).toBe('done');
    expect(bench.kit.gauges().activeRequests).toBe(2);
    leaving.abort();
    const again = await bench.chat();
    expect((await eventsIn(again)).at(-1)?.type).toBe('done');
    await second.body?.cancel();
    await first.body?.cancel();
  });

  test('a refused or failed request gives its place back', async () => {
    const bench = await startBench({ limits: { maxInFlight: 1 } });
    for (const body of [{ model: 'nobody' }, { messages: [] }, { options: { nonsense: 1 } }]) {
      expect((await bench.chat(body)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await eventsIn(await bench.chat())).at(-1)?.type).toBe('done');
  });

  test('a body that is still arriving counts, so uploads cannot pile up in memory', async () => {
    const bench = await startBench({ limits: { maxInFlight: 1 } });
    let finish = () => {};
    const slow = new ReadableStream<Uint8Array>({
      start(controller) {
        finish = () => controller.close();
      },
    });
    const uploading = bench.answer('/chat', { body: slow });
    await expect.poll(() => bench.kit.gauges().activeRequests).toBe(1);
    expect((await problemIn(await bench.chat())).code).toBe('too_many_in_flight');
    finish();
    expect((await problemIn(await uploading)).code).toBe('bad_request');
  });

  test.each(['leaves', 'is told that the server restarts'])(
    'a sender of a body that never ends %s',
    async (how) => {
      const bench = await startBench();
      let cancelled = false;
      const body = new ReadableStream<Uint8Array>({
        cancel() {
          cancelled = true;
        },
      });
      const leaving = new AbortController();
      const uploading = bench.answer('/chat', { body, signal: leaving.signal });
      await expect.poll(() => bench.kit.gauges().activeRequests).toBe(1);
      if (how === 'leaves') leaving.abort();
      else await bench.kit.close({ drainMs: 0 });
      expect((await uploading).status).toBe(how === 'leaves' ? 499 : 503);
      expect(bench.logs.at(-1)?.fields['outcome']).toBe(how === 'leaves' ? 'left' : 'failed');
      await expect.poll(() => cancelled).toBe(true);
      expect(bench.kit.gauges().activeRequests).toBe(0);
    },
  );
});
