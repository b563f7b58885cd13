import { expect, test } from 'vitest';
import type { Ask } from '../harness.ts';
import { EventReader, idOf } from '../streams/nodes.ts';
import type { Who } from './cached-kit.ts';
import { ada, bob, cacheOf, isClosed, question, startShared } from './shared-kit.ts';

test('fifty equal requests at once are one generation and fifty equal answers', async () => {
  const { pacer, node, post, arrived } = await startShared();
  const answers = Array.from({ length: 50 }, (_, at) => post({ sub: `user-${at}` }));
  await pacer.exchange();
  await arrived();
  await pacer.say('Wer ', 'reitet ', 'so spät');
  const readers = (await Promise.all(answers)).map((response) => new EventReader(response));
  await Promise.all(readers.map((reader) => reader.pieces(3)));
  await pacer.finish();
  await Promise.all(readers.map((reader) => reader.rest()));
  expect(new Set(readers.map(({ said }) => said))).toEqual(new Set(['Wer reitet so spät']));
  expect(readers.map(({ events }) => events.map(({ seq }) => seq))).toEqual(
    readers.map(({ events }) => events.map((_, at) => at)),
  );
  expect(readers.map(cacheOf).sort()).toEqual([...Array(49).fill('coalesced'), 'miss']);
  // Each has a stream of its own.
  expect(new Set(readers.map(idOf)).size).toBe(50);
  expect(pacer.generations).toBe(1);
  expect(node.kit.gauges().openUpstream).toBe(0);
});

test('who comes late gets everything from the first token', async () => {
  const { pacer, read } = await startShared();
  const first = await read(ada, { begins: true });
  await pacer.say('a', 'b', 'c');
  await first.pieces(3);
  const late = await read(bob);
  expect(cacheOf(late)).toBe('coalesced');
  await late.pieces(3);
  await pacer.say('d');
  await pacer.finish();
  await Promise.all([first.rest(), late.rest()]);
  expect(late.said).toBe('abcd');
  expect(first.said).toBe('abcd');
  const done = late.events.at(-1);
  const firstDone = first.events.at(-1);
  if (done?.type !== 'done' || firstDone?.type !== 'done') throw new Error('An answer has no end.');
  expect(done.timings.totalMs).toBeLessThan(firstDone.timings.totalMs as number);
});

test('who leaves ends nothing, whoever had begun; when all have left the model server is free', async () => {
  const { pacer, node, read } = await startShared();
  const first = await read(ada, { begins: true });
  await pacer.say('a');
  await first.pieces(1);
  const second = await read(bob);
  await second.pieces(1);
  const third = await read({ sub: 'cid' });
  await third.pieces(1);
  await first.leave();
  await third.leave();
  await pacer.say('b');
  await second.pieces(1);
  expect(node.kit.gauges().openUpstream).toBe(1);
  await second.leave();
  await isClosed(pacer);
  expect(second.said).toBe('ab');
});

test('a whole answer and a stream share one generation', async () => {
  const { pacer, read, post, arrived } = await startShared();
  const first = await read(ada, { begins: true });
  await pacer.say('a');
  await first.pieces(1);
  const whole = post(bob, { ...question, stream: false });
  await arrived();
  await pacer.say('b');
  await pacer.finish();
  await first.rest();
  expect(await (await whole).json()).toMatchObject({ message: { content: 'ab' }, done: true });
  expect(pacer.generations).toBe(1);
});

test('somebody who leaves while waiting for a whole answer is let go of', async () => {
  const { pacer, node, read, post, arrived } = await startShared();
  const first = await read(ada, { begins: true });
  await pacer.say('a');
  await first.pieces(1);
  const leaving = new AbortController();
  const whole = post(bob, { ...question, stream: false }, { signal: leaving.signal }).catch(() => 'left');
  await arrived();
  leaving.abort();
  await whole;
  expect(node.kit.gauges().activeRequests).toBe(2);
  await pacer.finish();
  await first.rest();
});

test.each([
  ['another tenant', { sub: 'eve', tenant: 'umbrella' }, question],
  ['no tenant', { sub: 'eve', tenant: undefined }, question],
  ['another question', ada, { ...question, options: { temperature: 0, seed: 1 } }],
  ['a new answer', ada, question, { headers: { 'cache-control': 'no-cache' } }],
] as [string, Who, object, Ask?][])('%s shares nothing', async (_name, who, body, more) => {
  const { pacer, read } = await startShared({ cache: {} });
  const first = await read(ada, { begins: true });
  await pacer.say('of ada');
  await first.pieces(1);
  const other = await read(who, { begins: true, body, more: more ?? {} });
  await pacer.finish();
  await other.rest();
  expect(other.said).toBe('');
  expect(pacer.generations).toBe(2);
  await first.leave();
});

test('within the scope of a user two users share nothing, and one shares with itself', async () => {
  const { pacer, read } = await startShared({ cache: { scope: 'user' } });
  const first = await read(ada, { begins: true });
  const again = await read(ada);
  expect(cacheOf(again)).toBe('coalesced');
  const other = await read(bob, { begins: true });
  expect(pacer.generations).toBe(2);
  for (const reader of [first, again, other]) await reader.leave();
});

test('without coalescing each asks for itself', async () => {
  const { pacer, read } = await startShared({ cache: { coalesce: false } });
  const first = await read(ada, { begins: true });
  const second = await read(bob, { begins: true });
  expect(pacer.generations).toBe(2);
  await first.leave();
  await second.leave();
});

test('a reader that stops reading keeps nobody back', async () => {
  const { pacer, read } = await startShared();
  const first = await read(ada, { begins: true });
  const slow = await read(bob);
  for (let at = 0; at < 40; at++) {
    await pacer.say(`${at} `.repeat(1000));
    await first.pieces(1);
  }
  await pacer.finish();
  await first.rest();
  await slow.rest();
  expect(slow.said).toBe(first.said);
});

test('one that falls megabytes behind is ended, and what is kept for it is bounded', async () => {
  const { pacer, read } = await startShared({ cache: { maxEntryBytes: 1024 * 16 } });
  const first = await read(ada, { begins: true });
  const slow = await read(bob);
  for (let at = 0; at < 40; at++) {
    await pacer.say('x'.repeat(20_000));
    await first.pieces(1);
  }
  const late = await read({ sub: 'cid' }, { begins: true });
  expect(cacheOf(late)).toBe('miss');
  await late.leave();
  const events = await slow.rest();
  expect(events.at(-1)).toMatchObject({ type: 'error', code: 'deadline_exceeded' });
  await first.leave();
});

test('stopping one answer by its id stops no other', async () => {
  const { pacer, node, read } = await startShared();
  const body = { ...question, resume: true };
  const first = await read(ada, { begins: true, body });
  await pacer.say('a');
  await first.pieces(1);
  const second = await read(bob, { body });
  await second.pieces(1);
  const token = await node.token({ tenant: 'acme', roles: ['user'], sub: 'ada' });
  expect((await node.answer(`/streams/${idOf(second)}`, { method: 'DELETE', token })).status).toBe(404);
  expect((await node.answer(`/streams/${idOf(first)}`, { method: 'DELETE', token })).status).toBe(204);
  expect((await first.rest()).at(-1)).toMatchObject({ type: 'error', code: 'aborted' });
  await pacer.say('b');
  await pacer.finish();
  await second.rest();
  expect(second.said).toBe('ab');
});

test('a failure is told to all, and the next one asks anew', async () => {
  const { pacer, read } = await startShared();
  const first = await read(ada, { begins: true });
  await pacer.say('a');
  await first.pieces(1);
  const second = await read(bob);
  await second.pieces(1);
  (await pacer.exchange()).socket.destroy();
  for (const reader of [first, second]) {
    expect((await reader.rest()).at(-1)).toMatchObject({ type: 'error', code: 'truncated' });
  }
  const third = await read(bob, { begins: true });
  expect(cacheOf(third)).toBe('miss');
  await third.leave();
});

test('an answer that is whole is kept before it stops being shared', async () => {
  const { pacer, read, post } = await startShared({ cache: {} });
  const first = await read(ada, { begins: true });
  await pacer.say('a');
  await first.pieces(1);
  await pacer.finish();
  await first.rest();
  const second = new EventReader(await post(bob));
  await second.rest();
  expect(cacheOf(second)).toBe('hit');
  expect(second.said).toBe('a');
});
