import { expect, test } from 'vitest';
import type { StreamStore } from '../../src/index.ts';
import { MemoryStreamStore } from '../../src/streams/memory-stream-store.ts';
import { DrivenClock } from '../harness.ts';
import { ask, idOf, startNode, startPacer } from './nodes.ts';

/** A store that processes share and whose appends take as long as `until` does. */
function takingItsTime(store: MemoryStreamStore, until: () => Promise<void>): StreamStore {
  return new Proxy<StreamStore>(store, {
    get(_, name) {
      const member: unknown = Reflect.get(store, name);
      if (typeof member !== 'function') return member;
      if (name !== 'append') return member.bind(store);
      return async (...args: unknown[]) => {
        await until();
        return member.apply(store, args);
      };
    },
  });
}

test('an answer that ends while a piece of it is on its way to the shared store is whole there once the kit is closed', async () => {
  const shared = new MemoryStreamStore(new DrivenClock());
  let gate: Promise<void> | undefined;
  let open = () => {};
  const streams = takingItsTime(shared, async () => gate);
  const pacer = await startPacer();
  const node = await startNode(pacer, { resume: { graceMs: 60_000 }, stores: { streams } });
  const reader = await ask(node, pacer);
  await pacer.say('one ');
  await reader.pieces(1);
  gate = new Promise((resolve) => {
    open = resolve;
  });
  await pacer.say('two ');
  await reader.pieces(1);
  await pacer.finish();
  const events = await reader.rest();
  expect(events.at(-1)?.type).toBe('done');
  const closing = node.kit.close();
  open();
  await closing;
  expect(shared.read(idOf(reader), -1, 0)).toEqual({ events, writer: 'done', next: events.length });
});
