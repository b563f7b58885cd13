import { expect, onTestFinished } from 'vitest';
import type { StreamStore } from '../../src/index.ts';
import { createRedisStores } from '../../src/stores-redis.ts';
import type { RedisServer } from '../stores/redis-server.ts';
import { ask, comeBack, idOf, startNode, startPacer } from './nodes.ts';

/** Makes a process's way to the store that all share. */
export type OpenStreams = () => StreamStore;

/** A store in a Redis. */
export function inRedis(redis: RedisServer, prefix: string): OpenStreams {
  return () => {
    const made = createRedisStores({ url: redis.url, prefix, deadlineMs: 10_000 });
    onTestFinished(made.close);
    return made.stores.streams;
  };
}

/**
 * One answer of so many events, whose reader loses its connection after each of them and comes back to the other of two
 * processes that share a store; then every rest of it from both.
 */
export async function hopThrough(open: OpenStreams, count: number): Promise<void> {
  const pacer = await startPacer();
  const stores = () => ({ streams: open() });
  const options = { resume: { graceMs: 3_600_000 } };
  const nodes = [
    await startNode(pacer, { ...options, stores: stores() }),
    await startNode(pacer, { ...options, stores: stores() }),
  ] as const;
  const [home] = nodes;
  const pieces = Array.from({ length: count }, (_, at) => `${at}: ☃ ${'ä'.repeat(at % 7)}\n`);
  let reader = await ask(home, pacer);
  const id = idOf(reader);
  let text = '';
  let lastSeq = 0;
  for (const [at, piece] of pieces.entries()) {
    await pacer.say(piece);
    await reader.pieces(1);
    lastSeq = reader.lastSeq;
    text += reader.text;
    await reader.leave();
    reader = await comeBack(nodes[(at + 1) % 2] as (typeof nodes)[0], id, lastSeq);
  }
  await pacer.finish();
  await reader.rest();
  text += reader.text;
  const whole = await comeBack(home, id, -1);
  await whole.rest();
  expect(text).toBe(whole.text);
  expect(whole.said).toBe(pieces.join(''));
  expect(whole.events.at(-1)?.type).toBe('done');
  const lines = whole.text.split('\n');
  for (let after = -1; after < whole.events.length - 1; after++) {
    const rest = await comeBack(nodes[1], id, after);
    await rest.rest();
    expect(rest.text).toBe(lines.slice(after + 1).join('\n'));
  }
  expect(pacer.generations).toBe(1);
}
