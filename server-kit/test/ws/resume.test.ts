import { say, stall } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { expectWellFormed, token, until } from '../stream-harness.ts';
import { chatFrame, startSockets } from './socket-bench.ts';
import type { SocketClient } from './socket-client.ts';

const story = ['Once ', 'upon ', 'a ', 'time', '.'];
/** Slow enough for a socket to break between two words. */
const slowly = story.flatMap((word) => [say(word), stall(30)]);
const ask = (id: string) => chatFrame(id, 1000, 'Tell', { resume: true });
const resume = (id: string, streamId: string, after: number, credit = 1000) => ({
  id,
  type: 'resume',
  streamId,
  after,
  credit,
});

function startOf(client: SocketClient, id: string): { id: string; resumable: boolean } {
  const [start] = client.of(id);
  if (start?.type !== 'start') throw new Error('The answer has no start.');
  return start;
}
const seqsOf = (client: SocketClient, id: string) => client.of(id).map(({ seq }) => seq);
const deltasOf = (client: SocketClient, id: string) =>
  client.of(id).filter(({ type }) => type === 'text-delta');

describe('an answer over a WebSocket that breaks', () => {
  test.each([1, 2, 3, 4])(
    'after %i words: another socket gets the rest, to the byte, of one generation',
    async (words) => {
      const bench = await startSockets();
      bench.ollama.fake.script(slowly);
      const first = await bench.open();
      first.send(ask('a'));
      await first.until(() => deltasOf(first, 'a').length >= words);
      const { id, resumable } = startOf(first, 'a');
      expect(resumable).toBe(true);
      first.socket.terminate();
      const before = first.of('a');
      const second = await bench.open();
      second.send(resume('b', id, before.at(-1)?.seq ?? -1));
      expect((await second.ended('b')).type).toBe('done');
      expectWellFormed([...before, ...second.of('b')]);
      expect(first.text('a') + second.text('b')).toBe(story.join(''));
      const { requests } = bench.ollama.fake.report();
      expect(requests.filter(({ path }) => path === '/api/chat')).toHaveLength(1);
    },
  );

  test('that is over: all of it again, from any event on, as far as there is credit', async () => {
    const bench = await startSockets();
    bench.ollama.fake.script([say('Once upon a time.')]);
    const first = await bench.open();
    first.send(ask('a'));
    await first.ended('a');
    const { id } = startOf(first, 'a');
    const all = first.of('a');
    first.socket.terminate();
    const second = await bench.open();
    for (let after = -1; after < all.length - 1; after++) {
      second.send(resume(`r${after + 1}`, id, after));
      await second.ended(`r${after + 1}`);
      expect(second.of(`r${after + 1}`)).toEqual(all.slice(after + 1));
    }
    second.send(resume('few', id, -1, 2));
    await second.until(() => second.of('few').length === 2);
    second.send({ type: 'ping' });
    await second.until(() => second.frames.some((frame) => (frame as { type?: string }).type === 'pong'));
    expect(seqsOf(second, 'few')).toEqual([0, 1]);
    second.send({ id: 'few', type: 'credit', credit: 1000 });
    await second.ended('few');
    expect(second.of('few')).toEqual(all);
  });

  test('two sockets read on at once, and one of them stops it for both', async () => {
    const bench = await startSockets();
    bench.ollama.fake.script([say('Once '), stall(60_000), say('never')]);
    const first = await bench.open();
    first.send(ask('a'));
    await first.until(() => deltasOf(first, 'a').length === 1);
    const { id } = startOf(first, 'a');
    const second = await bench.open();
    second.send(resume('b', id, -1));
    await second.until(() => deltasOf(second, 'b').length === 1);
    first.socket.terminate();
    // Somebody reads still: nothing ends.
    await bench.clock.advance(40_000);
    expect(bench.kit.gauges().activeRequests).toBeGreaterThan(0);
    const stopped = await fetch(`http://127.0.0.1:${bench.port}/api/llm/streams/${id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${await token()}` },
    });
    expect(stopped.status).toBe(204);
    expect((await second.ended('b')).type).toBe('error');
    await until(() => bench.ollama.fake.report().openGenerations === 0);
  });

  test('nobody comes back: the model server is free when the grace is over', async () => {
    const bench = await startSockets();
    bench.ollama.fake.script([say('Once '), stall(600_000), say('never')]);
    const first = await bench.open();
    first.send(ask('a'));
    await first.until(() => deltasOf(first, 'a').length === 1);
    first.socket.terminate();
    await until(() => bench.kit.gauges().sockets === 0);
    expect(bench.ollama.fake.report().openGenerations).toBe(1);
    await bench.clock.advance(30_001);
    await until(() => bench.ollama.fake.report().openGenerations === 0);
  });
});
