import { describe, expect, test } from 'vitest';
import { MemoryStreamStore, type StreamStore } from '../../src/index.ts';
import { problemIn, SetClock } from '../harness.ts';
import { ask, EventReader, idOf, rawQuestion, startNode, startPacer } from './nodes.ts';

const headers = { 'idempotency-key': 'one-question' };

describe.each(['one process', 'two processes'])('the same key in %s', (how) => {
  async function nodes() {
    const pacer = await startPacer();
    const streams =
      how === 'one process' ? {} : { stores: { streams: new MemoryStreamStore(new SetClock()) } };
    const a = await startNode(pacer, streams);
    const b = how === 'one process' ? a : await startNode(pacer, streams);
    return { a, b, pacer };
  }

  test('joins the running answer and replays the finished one: one generation', async () => {
    const { a, b, pacer } = await nodes();
    const first = await ask(a, pacer, { headers });
    await pacer.say('Wer ', 'reitet');
    await first.pieces(2);
    const second = new EventReader(await b.answer('/chat', { headers, body: rawQuestion }));
    await second.pieces(2);
    await pacer.finish();
    await Promise.all([first.rest(), second.rest()]);
    expect(second.text).toBe(first.text);
    const third = new EventReader(await b.answer('/chat', { headers, body: rawQuestion }));
    await third.rest();
    expect(third.text).toBe(first.text);
    expect(idOf(third)).toBe(idOf(first));
    const whole = await a.answer('/chat', { headers, body: { ...rawQuestion, stream: false } });
    expect(await whole.json()).toMatchObject({ message: { content: 'Wer reitet' }, done: true });
    expect(pacer.generations).toBe(1);
  });

  test('with another question is refused; members in another order are the same one', async () => {
    const { a, b, pacer } = await nodes();
    const first = await ask(a, pacer, { headers });
    await pacer.say('a');
    await pacer.finish();
    await first.rest();
    for (const other of [
      { ...rawQuestion, think: true },
      { ...rawQuestion, options: { seed: 1 } },
    ]) {
      const problem = await problemIn(await b.answer('/chat', { headers, body: other }));
      expect(problem).toMatchObject({
        code: 'bad_request',
        detail: expect.stringContaining('Idempotency-Key'),
      });
    }
    const { model, messages } = rawQuestion;
    const same = new EventReader(await b.answer('/chat', { headers, body: { messages, model } }));
    await same.rest();
    expect(same.text).toBe(first.text);
    expect(pacer.generations).toBe(1);
  });

  test('of somebody else is another key', async () => {
    const { a, b, pacer } = await nodes();
    const first = await ask(a, pacer, { headers });
    await pacer.say('of ada');
    await pacer.finish();
    await first.rest();
    const eve = await ask(b, pacer, { headers, token: await b.token({ sub: 'eve' }) });
    await pacer.say('of eve');
    await pacer.finish();
    await eve.rest();
    expect(eve.said).toBe('of eve');
    expect(pacer.generations).toBe(2);
  });

  test('asks anew after a failure', async () => {
    const { a, b, pacer } = await nodes();
    const first = await ask(a, pacer, { headers });
    await pacer.say('a');
    await first.pieces(1);
    (await pacer.exchange()).socket.destroy();
    await first.rest();
    expect(first.events.at(-1)?.type).toBe('error');
    const second = await ask(b, pacer, { headers });
    await pacer.say('b');
    await pacer.finish();
    await second.rest();
    expect(second.said).toBe('b');
  });
});

test('who joins and leaves ends nothing; when all have left it ends', async () => {
  const pacer = await startPacer();
  const node = await startNode(pacer);
  const first = await ask(node, pacer, { headers, body: { resume: false } });
  await pacer.say('a');
  await first.pieces(1);
  const second = new EventReader(await node.answer('/chat', { headers, body: rawQuestion }));
  await second.pieces(1);
  await first.leave();
  await pacer.say('b');
  await second.pieces(1);
  expect(node.kit.gauges().openUpstream).toBe(1);
  await second.leave();
  await (await pacer.exchange()).closed;
});

test('a key that is none is refused, and a surface of another form does not know keys', async () => {
  const pacer = await startPacer();
  const node = await startNode(pacer);
  const bad = { 'idempotency-key': 'x'.repeat(256) };
  expect((await problemIn(await node.answer('/chat', { headers: bad, body: rawQuestion }))).detail).toContain(
    'Idempotency-Key',
  );
  expect(pacer.generations).toBe(0);
});

test('a key is free again whose claim the store noted but did not confirm in time', async () => {
  const memory = new MemoryStreamStore(new SetClock());
  let isLate = true;
  const streams = new Proxy<StreamStore>(memory, {
    get(_, name) {
      const member: unknown = Reflect.get(memory, name);
      if (typeof member !== 'function') return member;
      if (name !== 'claim' || !isLate) return member.bind(memory);
      return async (...args: unknown[]) => {
        isLate = false;
        member.apply(memory, args);
        throw new Error('too late');
      };
    },
  });
  const pacer = await startPacer();
  const node = await startNode(pacer, { stores: { streams } });
  const refused = await node.answer('/chat', { headers, body: rawQuestion });
  expect((await problemIn(refused)).code).toBe('store_unavailable');
  const second = await ask(node, pacer, { headers });
  await pacer.say('a');
  await pacer.finish();
  expect((await second.rest()).at(-1)?.type).toBe('done');
});
