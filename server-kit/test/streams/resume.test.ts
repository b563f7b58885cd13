import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryStreamStore, type StreamStore } from '../../src/index.ts';
import { audience, type Bench, issuer, problemIn, SetClock, secret } from '../harness.ts';
import { until } from '../stream-harness.ts';
import { ask, comeBack, EventReader, idOf, type Pacer, rawQuestion, startNode, startPacer } from './nodes.ts';

async function one(): Promise<{ node: Awaited<ReturnType<typeof startNode>>; pacer: Pacer }> {
  const pacer = await startPacer();
  return { node: await startNode(pacer), pacer };
}

/** Two kits that share a store of streams and nothing else. */
async function two() {
  const pacer = await startPacer();
  const streams: StreamStore = new MemoryStreamStore(new SetClock());
  const [a, b] = [
    await startNode(pacer, { stores: { streams } }),
    await startNode(pacer, { stores: { streams } }),
  ];
  return { a, b, pacer, streams };
}

const runs = (node: Bench) => node.kit.gauges().openUpstream;

describe('an answer that its reader asked to come back to', () => {
  test('says so, and one that did not says that, too', async () => {
    const { node, pacer } = await one();
    const reader = await ask(node, pacer);
    await pacer.say('Hi');
    await pacer.finish();
    expect((await reader.rest())[0]).toMatchObject({ type: 'start', resumable: true, id: idOf(reader) });
    expect(idOf(reader)).toMatch(/^run_[0-9a-f]{32}$/);
    const plain = await ask(node, pacer, { body: { resume: false } });
    await pacer.say('Hi');
    await pacer.finish();
    expect((await plain.rest())[0]).toMatchObject({ type: 'start', resumable: false });
    expect((await node.answer(`/streams/${idOf(plain)}`)).status).toBe(404);
  });

  test('is replayed to the byte from every event on, while it is written and after its end', async () => {
    const { node, pacer } = await one();
    const first = await ask(node, pacer);
    await pacer.say('Wer ', 'reitet ', 'so ', 'spät');
    await first.pieces(4);
    const late = await comeBack(node, idOf(first), 2);
    await pacer.finish();
    const events = await first.rest();
    const lines = first.text.split('\n');
    await late.rest();
    expect(late.text).toBe(lines.slice(3).join('\n'));
    for (let after = -1; after < events.length - 1; after++) {
      const again = await comeBack(node, idOf(first), after);
      await again.rest();
      expect(again.text).toBe(lines.slice(after + 1).join('\n'));
    }
    expect((await node.answer(`/streams/${idOf(first)}?after=${first.lastSeq}`)).status).toBe(404);
    expect(pacer.generations).toBe(1);
  });

  test('in event streams the number comes in Last-Event-ID', async () => {
    const { node, pacer } = await one();
    const headers = { accept: 'text/event-stream' };
    const asking = node.answer('/chat', { headers, body: { ...rawQuestion, resume: true } });
    await pacer.say('a', 'b');
    await pacer.finish();
    const first = await asking;
    const whole = await first.text();
    const id = first.headers.get('x-ziggie-stream-id');
    const rest = await node.answer(`/streams/${id}`, { headers: { ...headers, 'last-event-id': '1' } });
    expect(rest.headers.get('content-type')).toContain('text/event-stream');
    const text = await rest.text();
    expect(whole.endsWith(text)).toBe(true);
    expect(text.startsWith('id: 2\n')).toBe(true);
  });

  test('goes on without a reader for the grace, then its model server is free', async () => {
    const { node, pacer } = await one();
    const reader = await ask(node, pacer);
    await pacer.say('Hi');
    await reader.pieces(1);
    await reader.leave();
    await node.clock.drive(29_000);
    await pacer.say(' there');
    expect(runs(node)).toBe(1);
    await node.clock.drive(999);
    expect(runs(node)).toBe(1);
    await node.clock.drive(2);
    const exchange = await pacer.exchange();
    await exchange.closed;
    expect(runs(node)).toBe(0);
    // It is as if it had never been: a client asks anew.
    expect((await node.answer(`/streams/${idOf(reader)}?after=1`)).status).toBe(404);
    expect(node.logs.filter(({ fields }) => fields['route'] === '/chat')).toMatchObject([
      { fields: { outcome: 'left', status: 499 } },
    ]);
  });

  test('a reader who is back within the grace makes it begin anew', async () => {
    const { node, pacer } = await one();
    const reader = await ask(node, pacer);
    await pacer.say('a');
    await reader.pieces(1);
    await reader.leave();
    await node.clock.drive(29_000);
    const second = await comeBack(node, idOf(reader), reader.lastSeq);
    await pacer.say('b');
    await second.pieces(1);
    await node.clock.drive(40_000);
    expect(runs(node)).toBe(1);
    await second.leave();
    await node.clock.drive(15_000);
    expect(runs(node)).toBe(1);
    const third = await comeBack(node, idOf(reader), second.lastSeq);
    await pacer.finish();
    expect((await third.rest()).at(-1)?.type).toBe('done');
    expect(reader.said + second.said + third.said).toBe('ab');
  });

  test('before its first token leaving ends it at once', async () => {
    const { node, pacer } = await one();
    const left = new AbortController();
    const asked = node.answer('/chat', { signal: left.signal, body: { ...rawQuestion, resume: true } });
    const exchange = await pacer.exchange();
    const leftAt = performance.now();
    left.abort();
    expect((await exchange.closed) - leftAt).toBeLessThan(1000);
    await asked.catch(() => {});
    expect(node.kit.gauges()).toMatchObject({ activeRequests: 0, openUpstream: 0, timers: 0 });
  });

  test('a reader that leaves before the status line is out ends it as well', async () => {
    const { node, pacer } = await one();
    const reader = await ask(node, pacer);
    await reader.until('start');
    const exchange = await pacer.exchange();
    await reader.leave();
    await exchange.closed;
    expect(node.kit.gauges()).toMatchObject({ activeRequests: 0, openUpstream: 0, timers: 0 });
  });

  test('one that fails before its first event has the status of its failure, and leaves nothing', async () => {
    const { node, pacer } = await one();
    const asked = node.answer('/chat', {
      body: { model: 'raw', messages: [{ role: 'user', content: 'Hi' }], resume: true },
    });
    const { socket } = await pacer.exchange();
    socket.write('HTTP/1.1 500 Oh\r\ncontent-length: 14\r\n\r\n{"error":"no"}');
    const problem = await problemIn(await asked);
    expect(problem.status).toBeGreaterThanOrEqual(500);
  });

  test('a failure in the middle is replayed as it was told', async () => {
    const { node, pacer } = await one();
    const reader = await ask(node, pacer);
    await pacer.say('a');
    await reader.pieces(1);
    (await pacer.exchange()).socket.destroy();
    await reader.rest();
    expect(reader.events.at(-1)).toMatchObject({ type: 'error', code: 'truncated' });
    const again = await comeBack(node, idOf(reader), 0);
    await again.rest();
    expect(again.text).toBe(reader.text.split('\n').slice(1).join('\n'));
  });

  test('many read it at once, each to the byte, and a slow one holds nobody up', async () => {
    const { node, pacer } = await one();
    const first = await ask(node, pacer);
    await pacer.say('a');
    await first.pieces(1);
    const others = await Promise.all(Array.from({ length: 8 }, () => comeBack(node, idOf(first), -1)));
    for (const other of others.slice(1)) await other.pieces(1);
    const text = 'x'.repeat(2000);
    const { socket } = await pacer.exchange();
    for (let at = 0; at < 200; at++) await pacer.say(text);
    await first.pieces(200);
    expect(socket.destroyed).toBe(false);
    await pacer.finish();
    await first.rest();
    for (const other of others) {
      await other.rest();
      expect(other.text).toBe(first.text);
    }
    expect(pacer.generations).toBe(1);
  });

  test('a seventeenth reader is refused', async () => {
    const { node, pacer } = await one();
    const first = await ask(node, pacer);
    await pacer.say('a');
    await first.pieces(1);
    const readers = await Promise.all(Array.from({ length: 15 }, () => comeBack(node, idOf(first), 1)));
    const refused = await node.answer(`/streams/${idOf(first)}?after=1`);
    expect(await problemIn(refused)).toMatchObject({ code: 'too_many_in_flight', retryAfterMs: 1000 });
    await readers[0]?.leave();
    await comeBack(node, idOf(first), 1).then((reader) => reader.leave());
    await pacer.finish();
    await Promise.all([first, ...readers.slice(1)].map((reader) => reader.rest()));
  });

  test('it is kept for so long after its end', async () => {
    const { node, pacer } = await one();
    const reader = await ask(node, pacer);
    await pacer.say('a');
    await pacer.finish();
    await reader.rest();
    await node.clock.drive(299_000);
    const again = await comeBack(node, idOf(reader), -1);
    expect(await again.rest()).toEqual(reader.events);
    await node.clock.drive(2000);
    expect((await node.answer(`/streams/${idOf(reader)}`)).status).toBe(404);
  });

  test('its owner is settled once, by the run, however many read it', async () => {
    const pacer = await startPacer();
    const node = await startNode(pacer, {
      limits: {
        requestsPerMinute: Number.POSITIVE_INFINITY,
        requestsPerMinutePerAddress: Number.POSITIVE_INFINITY,
        rules: [{ name: 'tokens', per: 'user', unit: 'totalTokens', window: 'day', limit: 100_000 }],
      },
    });
    const used = async () => {
      const { limits } = (await (await node.answer('/me/limits')).json()) as {
        limits: { name: string; left: number }[];
      };
      return limits.find(({ name }) => name === 'tokens');
    };
    const reader = await ask(node, pacer);
    await pacer.say('a');
    await reader.pieces(1);
    await reader.leave();
    const second = await comeBack(node, idOf(reader), 0);
    const third = await comeBack(node, idOf(reader), -1);
    await pacer.finish();
    await Promise.all([second.rest(), third.rest()]);
    await comeBack(node, idOf(reader), -1).then((late) => late.rest());
    expect(await used()).toMatchObject({ left: 99_993 });
  });

  test('a silent stretch has heartbeats on a connection that came back', async () => {
    const { node, pacer } = await one();
    const reader = await ask(node, pacer);
    await pacer.say('a');
    await reader.pieces(1);
    const second = await comeBack(node, idOf(reader), 1);
    const reading = second.rest();
    await node.clock.drive(25_000);
    await pacer.finish();
    await Promise.all([reading, reader.rest()]);
    expect(second.text.startsWith('\n\n{')).toBe(true);
  });

  test('with resume: false nothing is kept, and who asks for it is answered all the same', async () => {
    const pacer = await startPacer();
    const node = await startNode(pacer, { resume: false });
    const reader = await ask(node, pacer);
    await pacer.say('a');
    await pacer.finish();
    expect((await reader.rest())[0]).toMatchObject({ type: 'start', resumable: false });
    expect((await node.answer(`/streams/${idOf(reader)}`)).status).toBe(404);
    expect((await node.answer(`/streams/${idOf(reader)}`, { method: 'DELETE' })).status).toBe(404);
  });
});

describe('stop', () => {
  test('ends it at once for everybody who reads it, with a typed end', async () => {
    const { node, pacer } = await one();
    const reader = await ask(node, pacer);
    await pacer.say('a');
    await reader.pieces(1);
    const other = await comeBack(node, idOf(reader), -1);
    const exchange = await pacer.exchange();
    const before = performance.now();
    const stopped = await node.answer(`/streams/${idOf(reader)}`, { method: 'DELETE' });
    expect(stopped.status).toBe(204);
    expect((await exchange.closed) - before).toBeLessThan(1000);
    await Promise.all([reader.rest(), other.rest()]);
    expect(reader.events.at(-1)).toMatchObject({ type: 'error', code: 'aborted' });
    expect(other.text).toBe(reader.text);
    expect((await node.answer(`/streams/${idOf(reader)}`, { method: 'DELETE' })).status).toBe(404);
    expect(node.logs.find(({ fields }) => fields['route'] === '/chat')?.fields['outcome']).toBe('left');
  });

  test('works while nobody reads it', async () => {
    const { node, pacer } = await one();
    const reader = await ask(node, pacer);
    await pacer.say('a');
    await reader.pieces(1);
    await reader.leave();
    expect((await node.answer(`/streams/${idOf(reader)}`, { method: 'DELETE' })).status).toBe(204);
    await (await pacer.exchange()).closed;
  });
});

describe('who may', () => {
  test('an unknown id, a foreign one and one of another tenant look the same', async () => {
    const pacer = await startPacer();
    const jwt = { secret, issuer, audience, tenantClaim: 'tenant' };
    const node = await startNode(pacer, { auth: { jwt } });
    const reader = await ask(node, pacer);
    await pacer.say('a');
    await reader.pieces(1);
    const answers = new Set<string>();
    for (const method of ['GET', 'DELETE']) {
      const asks = [
        [idOf(reader), { token: await node.token({ sub: 'eve' }) }],
        [idOf(reader), { token: await node.token({ tenant: 'other' }) }],
        [`run_${'0'.repeat(32)}`, {}],
      ] as const;
      for (const [id, more] of asks) {
        const { requestId: _, ...problem } = await problemIn(
          await node.answer(`/streams/${id}`, { method, ...more }),
        );
        answers.add(JSON.stringify(problem));
      }
    }
    expect(answers.size).toBe(1);
    expect([...answers][0]).toContain('"not_found"');
    await pacer.finish();
    expect((await reader.rest()).at(-1)?.type).toBe('done');
  });

  test('rights are looked at again: no model, no permission, no credential', async () => {
    const pacer = await startPacer();
    const node = await startNode(pacer, {
      roles: {
        user: { permissions: ['chat'] },
        lister: { permissions: ['models:read'] },
        small: { permissions: ['chat'], models: ['small*'] },
      },
    });
    const reader = await ask(node, pacer);
    await pacer.say('a');
    await reader.pieces(1);
    const path = `/streams/${idOf(reader)}?after=0`;
    const status = async (roles: string[] | null) =>
      (await node.answer(path, { token: roles && (await node.token({ roles })) })).status;
    expect(await status(['small'])).toBe(404);
    expect(await status(['lister'])).toBe(403);
    expect(await status(null)).toBe(401);
    await node.kit.revocations.revoke({ principalId: 'ada' });
    expect(await status(['user'])).toBe(401);
    await pacer.finish();
    await reader.rest();
  });

  test('after must be a number of an event', async () => {
    const { node } = await one();
    for (const after of ['x', '-2', '1.5', '1e3', '9'.repeat(16)]) {
      const response = await node.answer(`/streams/run_1?after=${after}`);
      expect((await problemIn(response)).detail).toContain('after:');
    }
  });
});

describe('two processes with one store', () => {
  test('the other one replays to the byte and goes on live', async () => {
    const { a, b, pacer } = await two();
    const first = await ask(a, pacer);
    await pacer.say('Wer ', 'reitet ');
    await first.pieces(2);
    await first.leave();
    const second = await comeBack(b, idOf(first), 1);
    await second.pieces(1);
    await pacer.say('so ', 'spät');
    await second.pieces(2);
    await pacer.finish();
    expect((await second.rest()).at(-1)?.type).toBe('done');
    const whole = await comeBack(a, idOf(first), -1);
    await whole.rest();
    expect(whole.text.endsWith(second.text)).toBe(true);
    expect(whole.said).toBe('Wer reitet so spät');
    expect(pacer.generations).toBe(1);
  });

  test('a reader there keeps the run alive here, and its leaving begins the grace', async () => {
    const { a, b, pacer } = await two();
    const first = await ask(a, pacer);
    await pacer.say('a');
    await first.pieces(1);
    await first.leave();
    const second = await comeBack(b, idOf(first), 1);
    const reading = second.rest();
    for (let at = 0; at < 10; at++) {
      await b.clock.drive(10_000);
      await a.clock.drive(10_000);
      await pacer.say('.');
      await until(() => second.text.split('"."').length === at + 2);
      expect(runs(a)).toBe(1);
    }
    await second.leave();
    await reading;
    // The shared store goes by a clock of its own, which stands: the last look counts.
    expect(runs(a)).toBe(1);
    expect((await b.answer(`/streams/${idOf(first)}`, { method: 'DELETE' })).status).toBe(204);
    await (await pacer.exchange()).closed;
  });

  test('stop in the other one ends it here at once', async () => {
    const { a, b, pacer } = await two();
    const reader = await ask(a, pacer);
    await pacer.say('a');
    await reader.pieces(1);
    const other = await comeBack(b, idOf(reader), -1);
    const before = performance.now();
    expect((await b.answer(`/streams/${idOf(reader)}`, { method: 'DELETE' })).status).toBe(204);
    expect((await (await pacer.exchange()).closed) - before).toBeLessThan(1000);
    await Promise.all([reader.rest(), other.rest()]);
    expect(other.text).toBe(reader.text);
    expect(reader.events.at(-1)).toMatchObject({ code: 'aborted' });
  });

  test('a foreign id is not there either', async () => {
    const { a, b, pacer } = await two();
    const reader = await ask(a, pacer);
    await pacer.say('a');
    await reader.pieces(1);
    const token = await b.token({ sub: 'eve' });
    for (const method of ['GET', 'DELETE']) {
      expect((await b.answer(`/streams/${idOf(reader)}`, { method, token })).status).toBe(404);
    }
    await pacer.finish();
    await reader.rest();
  });

  test('a process that dies leaves a typed end, the same for everybody', async () => {
    const pacer = await startPacer();
    const shared = new SetClock();
    const store = new MemoryStreamStore(shared);
    onTestFinished(() => store.close());
    const b = await startNode(pacer, { stores: { streams: store } });
    // What a process that was killed has left behind.
    const { ownerKeyOf } = await import('../../src/streams/owner-key.ts');
    const bounds = { keepMs: 300_000, graceMs: 30_000, maxBytes: 1e6, maxPerOwner: 8 };
    store.open('run_dead', { ownerKey: ownerKeyOf({ id: 'ada' }), model: 'raw:latest' }, bounds);
    store.append('run_dead', [{ type: 'text-delta', text: 'Hal', seq: 0 }], bounds);
    const reader = await comeBack(b, 'run_dead', -1);
    await reader.pieces(1);
    // One whose last event never reached the store.
    const ahead = await comeBack(b, 'run_dead', 4);
    const reading = Promise.all([reader.rest(), ahead.rest()]);
    shared.advance(15_001);
    await b.clock.drive(1001);
    await reading;
    const lost = { type: 'error', code: 'truncated', status: 502, retryable: true };
    expect(reader.events).toMatchObject([{ type: 'text-delta' }, { ...lost, seq: 1 }]);
    expect(ahead.events).toMatchObject([{ ...lost, seq: 5 }]);
    const again = await comeBack(b, 'run_dead', 0);
    expect(await again.rest()).toEqual(reader.events.slice(1));
  });

  test('a store that is away stops no answer; what it missed it gets when it is back', async () => {
    const pacer = await startPacer();
    const memory = new MemoryStreamStore(new SetClock());
    onTestFinished(() => memory.close());
    let isAway = true;
    const streams = new Proxy(memory, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function' || name === 'onStop' || name === 'watch') {
          return typeof member === 'function' ? member.bind(target) : member;
        }
        return async (...given: unknown[]) => {
          if (isAway) throw new Error('away');
          return (member as (...more: unknown[]) => unknown).apply(target, given);
        };
      },
    });
    const a = await startNode(pacer, { stores: { streams } });
    const b = await startNode(pacer, { stores: { streams } });
    const reader = await ask(a, pacer);
    await pacer.say('a', 'b');
    await reader.pieces(2);
    const here = await comeBack(a, idOf(reader), 1);
    await here.pieces(1);
    const refused = await b.answer(`/streams/${idOf(reader)}?after=1`);
    expect(await problemIn(refused)).toMatchObject({ code: 'store_unavailable', status: 503 });
    isAway = false;
    await a.clock.drive(501);
    await until(() => memory.find(idOf(reader)) !== undefined);
    await pacer.finish();
    await reader.rest();
    await here.rest();
    const there = await comeBack(b, idOf(reader), -1);
    await there.rest();
    expect(there.text).toBe(reader.text);
  });
});

test('the drain of a kit ends a run that nobody came back to, in time', async () => {
  const { node, pacer } = await one();
  const reader = await ask(node, pacer);
  await pacer.say('a');
  await reader.pieces(1);
  await reader.leave();
  const closing = node.kit.close({ drainMs: 5000 });
  await node.clock.drive(5001);
  await closing;
  await (await pacer.exchange()).closed;
  expect(node.kit.gauges()).toMatchObject({ activeRequests: 0, openUpstream: 0, timers: 0 });
});

test('HEAD of a stream reads nothing and holds nothing', async () => {
  const { node, pacer } = await one();
  const reader = await ask(node, pacer);
  await pacer.say('a');
  await reader.pieces(1);
  const head = await node.answer(`/streams/${idOf(reader)}`, { method: 'HEAD' });
  expect(head.status).toBe(200);
  expect(await head.text()).toBe('');
  await pacer.finish();
  await reader.rest();
});

test('EventReader is not fooled by pieces of lines', async () => {
  const reader = new EventReader(new Response('{"type":"text-delta","text":"a","seq":0}\n\n'));
  expect(await reader.rest()).toHaveLength(1);
});

test.each([64, 256])(
  'an answer longer than its log of %i KiB waits for a reader who is slow, and loses nothing',
  async (kibibytes) => {
    const pacer = await startPacer();
    const node = await startNode(pacer, { resume: { maxStreamBytes: kibibytes * 1024 } });
    const reader = await ask(node, pacer);
    const pieces = Array.from({ length: 200 }, (_, at) => `${at}:${'x'.repeat(4096)}`);
    for (const piece of pieces) await pacer.say(piece);
    await pacer.finish();
    // Nothing is read until all that the kit would take has been taken.
    for (let turns = 0; turns < 200; turns++) await new Promise(setImmediate);
    const events = await reader.rest();
    expect(events.at(-1)?.type).toBe('done');
    expect(reader.said).toBe(pieces.join(''));
  },
);
