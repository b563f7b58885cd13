import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openConversation, settle } from '../../test/conversation/open-conversation.ts';
import { isZiggieError, ZiggieError } from '../errors/ziggie-error.ts';
import { createMemoryStorage } from './storage/memory.ts';
import type { Conversation, ConversationStorage } from './types.ts';

const steps = [
  'send',
  'interrupt',
  'write',
  'finish',
  'break',
  'stop',
  'retry',
  'regenerate',
  'continue',
  'pause',
  'resume',
  'unqueue',
  'move',
  'offline',
  'online',
  'clear',
  'disk full',
  'disk back',
  'second',
] as const;
const walk = fc.array(fc.record({ tab: fc.nat(1), step: fc.constantFrom(...steps), wait: fc.boolean() }), {
  minLength: 5,
  maxLength: 40,
});

/** One storage that two tabs share, and that can be full. */
function sharedDisk() {
  const storage = createMemoryStorage();
  const disk = { full: false };
  const shared: ConversationStorage = {
    ...storage,
    async save(record) {
      if (disk.full) throw new Error('Full.');
      return storage.save(record);
    },
  };
  return { disk, storage: shared };
}

/** A tab with a network of its own, which notes what became of each `send`. */
function openTab(name: string, storage: ConversationStorage, wallNow: () => number) {
  let online = true;
  const listeners = new Set<() => void>();
  let ids = 0;
  const open = openConversation({
    storage,
    wallNow,
    createId: () => `${name}${++ids}`,
    connection: {
      isOnline: () => online,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  });
  let waiting = 0;
  return {
    ...open,
    waiting: () => waiting,
    isOnline: () => online,
    openRuns: () => open.client.runs.filter((run) => run.open),
    turnOnline(to: boolean) {
      online = to;
      for (const listener of listeners) listener();
    },
    send(text: string, whenBusy: 'queue' | 'interrupt') {
      waiting++;
      void open.conversation.send(text, { whenBusy }).finally(() => waiting--);
    },
  };
}

type Tab = ReturnType<typeof openTab>;

/** What may be refused in the state at hand is refused with words, and changes nothing. */
async function tolerant(work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    if (isZiggieError(error) || !(error instanceof Error)) throw error;
  });
}

const askedIn = (conversation: Conversation): string[] =>
  [...conversation.getState().nodes.values()].filter(({ role }) => role === 'user').map(({ text }) => text);

function expectInOrder(tab: Tab): void {
  tab.frame();
  const { conversation } = tab;
  const { run, queue, queuePause, nodes } = conversation.getState();
  expect(tab.openRuns().length).toBeLessThanOrEqual(1);
  if (run === null && queuePause === null && tab.isOnline()) expect(queue).toEqual([]);
  expect(queue.filter(({ id }) => nodes.has(id))).toEqual([]);
  const asked = askedIn(conversation);
  expect(new Set(asked).size).toBe(asked.length);
}

/** Lets everything that was asked for come to its end. */
async function drain(tab: Tab): Promise<void> {
  tab.turnOnline(true);
  // A stop under way pauses the queue when it is through.
  await settle();
  tab.conversation.queue.resume();
  for (let turn = 0; turn < 100; turn++) {
    await settle();
    const [run] = tab.openRuns();
    if (run === undefined) break;
    run.emit({ type: 'text-delta', text: 'x' }, { type: 'done', finishReason: 'stop', timings: {} });
  }
  expect(tab.openRuns()).toEqual([]);
}

describe('a conversation in two tabs, on a random walk', () => {
  it('runs one turn at a time, loses and doubles no question, forgets what was cleared, and agrees at the end', async () => {
    await fc.assert(
      fc.asyncProperty(walk, async (path) => {
        const { disk, storage } = sharedDisk();
        let now = 0;
        const wallNow = () => ++now;
        const tabs = [openTab('a', storage, wallNow), openTab('b', storage, wallNow)] as const;
        await settle();
        let sent = 0;
        let expected = new Set<string>();
        for (const { tab: index, step, wait } of path) {
          const tab = tabs[index] as Tab;
          const { conversation, client, clock } = tab;
          const { queue } = conversation;
          const first = queue.items.get()[0];
          if (step === 'send' || step === 'interrupt') {
            const text = `question ${++sent}`;
            expected.add(text);
            tab.send(text, step === 'send' ? 'queue' : 'interrupt');
          } else if (step === 'write') client.runs.at(-1)?.emit({ type: 'text-delta', text: 'word ' });
          else if (step === 'finish')
            client.runs.at(-1)?.emit({ type: 'done', finishReason: 'stop', timings: {} });
          else if (step === 'break') client.runs.at(-1)?.fail(new ZiggieError('server_busy', 'Busy.'));
          else if (step === 'stop') conversation.stop();
          else if (step === 'retry') void tolerant(conversation.retry);
          else if (step === 'regenerate') void tolerant(conversation.regenerate);
          else if (step === 'continue') void tolerant(conversation.continue);
          else if (step === 'pause') queue.pause();
          else if (step === 'resume') queue.resume();
          else if (step === 'unqueue' && first !== undefined) {
            expected.delete(first.text);
            queue.remove(first.id);
          } else if (step === 'move' && first !== undefined) queue.move(first.id, 1);
          else if (step === 'offline') tab.turnOnline(false);
          else if (step === 'online') tab.turnOnline(true);
          else if (step === 'clear' && !disk.full) {
            // All that was asked for is written down first: what a tab kept to itself is not another's to clear.
            await settle();
            expected = new Set();
            await conversation.clear();
            await settle();
          } else if (step === 'disk full') disk.full = true;
          else if (step === 'disk back') {
            disk.full = false;
            for (const { conversation: each } of tabs) each.rename(`${sent}`);
          } else if (step === 'second') clock.advance(1000);
          if (wait) await settle();
          for (const each of tabs) expectInOrder(each);
        }
        disk.full = false;
        for (const tab of tabs) await drain(tab);
        for (const { conversation } of tabs) conversation.rename('The end');
        await settle();
        const saved = await storage.load('default');
        for (const tab of tabs) {
          expectInOrder(tab);
          expect(tab.waiting()).toBe(0);
          expect(new Set(askedIn(tab.conversation))).toEqual(expected);
          const nodes = [...tab.conversation.getState().nodes.values()];
          expect(new Map(nodes.map(({ id, text }) => [id, text]))).toEqual(
            new Map(saved?.nodes.map(({ id, text }) => [id, text])),
          );
          tab.conversation.dispose();
        }
      }),
      { numRuns: 60 },
    );
  });
});
