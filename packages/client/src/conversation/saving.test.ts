import { describe, expect, it } from 'vitest';
import { openConversation, settle, shown } from '../../test/conversation/open-conversation.ts';
import { fullRecord } from '../../test/conversation/storage.contract.ts';
import { createTextArea } from '../../test/conversation/text-area.ts';
import type { ChatEvent } from '../types.ts';
import { createLocalStorage } from './storage/local-storage.ts';
import { createMemoryStorage } from './storage/memory.ts';
import type { ConversationRecord, ConversationStorage } from './types.ts';

const text = (words: string): ChatEvent => ({ type: 'text-delta', text: words });
const done: ChatEvent = { type: 'done', finishReason: 'stop', timings: {} };

/** A storage that writes down what is asked of it; each save waits for `release()` when it is held. */
function watchedStorage() {
  const storage = createMemoryStorage();
  const log: string[] = [];
  let held: (() => void)[] | null = null;
  const watched: ConversationStorage = {
    ...storage,
    async save(record) {
      log.push(`save ${record.nodes.map((node) => node.text).join('|')}`);
      if (held !== null) await new Promise<void>((resolve) => held?.push(resolve));
      await storage.save(record);
      log.push('saved');
    },
    async remove(id) {
      log.push('remove');
      await storage.remove(id);
    },
  };
  return {
    storage: watched,
    log,
    hold() {
      held = [];
    },
    release() {
      const waiting = held ?? [];
      held = null;
      for (const resolve of waiting) resolve();
    },
  };
}

describe('saving', () => {
  it('a conversation comes back as it was, model and shown branch included', async () => {
    const storage = createMemoryStorage();
    const first = openConversation({ storage });
    const sent = first.conversation.send('Hello');
    await settle();
    first.client.last().emit(text('Hi'), done);
    await sent;
    const again = first.conversation.regenerate();
    first.client.last().emit(text('Hey'), done);
    await again;
    first.conversation.switchTo('m2');
    first.conversation.setModel('other');
    await settle();
    const second = openConversation({ storage });
    expect(second.conversation.storageState.get()).toBe('loading');
    await settle();
    expect(second.conversation.storageState.get()).toBe('ready');
    expect(shown(second.conversation)).toEqual(['user: Hello', 'assistant: Hi']);
    expect(second.conversation.model.get()).toBe('other');
    expect(second.conversation.getState()).toEqual(first.conversation.getState());
  });

  it('while an answer is written it saves every second at most, and at the end', async () => {
    const { storage, log } = watchedStorage();
    const { conversation, client, clock } = openConversation({ storage });
    const sent = conversation.send('Hello');
    await settle();
    expect(log).toEqual(['save Hello|', 'saved']);
    for (let token = 0; token < 25; token++) {
      client.last().emit(text('x'));
      await clock.advance(100);
    }
    expect(log.filter((entry) => entry.startsWith('save '))).toEqual([
      'save Hello|',
      `save Hello|${'x'.repeat(10)}`,
      `save Hello|${'x'.repeat(20)}`,
    ]);
    client.last().emit(done);
    await sent;
    await settle();
    expect(log.slice(-2)).toEqual([`save Hello|${'x'.repeat(25)}`, 'saved']);
    expect(clock.pending).toBe(0);
  });

  it('a run that a reload cut comes back as stopped, with what was saved of it', async () => {
    const area = createTextArea();
    const storage = createLocalStorage({ namespace: 'app', area });
    const page = openConversation({ storage });
    void page.conversation.send('Hello');
    await settle();
    page.client.last().emit(text('Half an ans'));
    await page.clock.advance(1000);
    // The page is gone here: nothing of it runs any more. Another opens the same record.
    const reloaded = openConversation({ storage: createLocalStorage({ namespace: 'app', area }) });
    await settle();
    expect(shown(reloaded.conversation)).toEqual(['user: Hello', 'assistant: Half an ans (stopped)']);
    expect(reloaded.conversation.phase.get()).toBeNull();
    page.conversation.dispose();
  });

  it('a save that takes long is followed by one save of the newest state', async () => {
    const { storage, log, hold, release } = watchedStorage();
    const { conversation, client } = openConversation({ storage });
    await settle();
    hold();
    const sent = conversation.send('Hello');
    await settle();
    client.last().emit(text('Hi'), done);
    await sent;
    conversation.setModel('a');
    conversation.setModel('b');
    await settle();
    expect(log).toEqual(['save Hello|']);
    release();
    await settle();
    expect(log).toEqual(['save Hello|', 'saved', 'save Hello|Hi', 'saved']);
    expect((await storage.load('default'))?.model).toBe('b');
  });

  it('clear() during a save and a run leaves nothing behind', async () => {
    const { storage, log, hold, release } = watchedStorage();
    const { conversation, client, clock } = openConversation({ storage });
    await settle();
    hold();
    void conversation.send('Hello');
    await settle();
    client.last().emit(text('Hi'));
    await settle();
    const cleared = conversation.clear();
    release();
    await cleared;
    await clock.advance(5000);
    expect(log).toEqual(['save Hello|', 'saved', 'remove']);
    expect(await storage.list()).toEqual([]);
  });

  it('a turn that begins while the old record is being removed is saved', async () => {
    const { storage, log } = watchedStorage();
    const { conversation } = openConversation({ storage });
    await settle();
    const cleared = conversation.clear();
    void conversation.send('New');
    await cleared;
    await settle();
    expect(log.slice(0, 2)).toEqual(['remove', 'save New|']);
    conversation.dispose();
  });

  it('a turn waits for the saved record and carries it on', async () => {
    const storage = createMemoryStorage();
    await storage.save({ ...fullRecord('default'), head: 'constructor' });
    const { conversation, client } = openConversation({ storage });
    void conversation.send('More');
    expect(client.runs).toHaveLength(0);
    await settle();
    expect(client.last().request.messages.map(({ content }) => content)).toEqual([
      expect.stringContaining('Hello\n\u0000'),
      '',
      '12 °C',
      'Hi',
      'More',
    ]);
    expect(client.last().request.model).toBe('m:latest');
    conversation.dispose();
  });

  it('clear() while the record is read: it does not come back', async () => {
    const storage = createMemoryStorage();
    await storage.save(fullRecord('default'));
    const { conversation } = openConversation({ storage });
    await conversation.clear();
    await settle();
    expect(conversation.messageIds.get()).toEqual([]);
    expect(conversation.storageState.get()).toBe('ready');
    expect(await storage.list()).toEqual([]);
  });

  it('what another tab saved, read while this one clears, does not come back', async () => {
    const storage = createMemoryStorage();
    const waiting: (() => void)[] = [];
    let slow = false;
    const { conversation } = openConversation({
      storage: {
        ...storage,
        async load(id) {
          const record = await storage.load(id);
          if (slow) await new Promise<void>((resolve) => waiting.push(resolve));
          return record;
        },
      },
    });
    await settle();
    slow = true;
    await storage.save(fullRecord('default'));
    await settle();
    expect(waiting).toHaveLength(1);
    slow = false;
    await conversation.clear();
    waiting[0]?.();
    await settle();
    expect(conversation.getState().nodes.size).toBe(0);
    expect(await storage.list()).toEqual([]);
    conversation.dispose();
  });

  it('what another tab saves after the removal, and before this one hears of it, is taken in', async () => {
    const storage = createMemoryStorage();
    let answer = (): void => {};
    const { conversation } = openConversation({
      storage: {
        ...storage,
        async remove(id) {
          await storage.remove(id);
          await new Promise<void>((resolve) => {
            answer = resolve;
          });
        },
      },
    });
    await settle();
    const cleared = conversation.clear();
    await settle();
    await storage.save(fullRecord('default'));
    await settle();
    expect(conversation.getState().nodes.size).toBe(0);
    answer();
    await cleared;
    expect(conversation.getState().nodes.size).toBe(fullRecord('default').nodes.length);
    conversation.dispose();
  });

  it('an older save of another tab, which is put together with ours and bears its time, is taken in', async () => {
    const storage = createMemoryStorage();
    const { conversation, client, clock } = openConversation({ storage });
    const sent = conversation.send('Hello');
    await settle();
    const older = (await storage.load('default')) as ConversationRecord;
    await clock.advance(10);
    client.last().emit(text('Hi'), done);
    await sent;
    await settle();
    const theirs = {
      id: 'theirs',
      parentId: 'm2',
      role: 'user',
      text: 'Also',
      thinking: '',
      toolCalls: [],
    } as const;
    await storage.save({
      ...older,
      nodes: [...older.nodes, { ...theirs, createdAt: older.updatedAt + 1 }],
      head: 'theirs',
      updatedAt: older.updatedAt + 1,
    });
    await settle();
    expect(conversation.getState().nodes.has('theirs')).toBe(true);
  });

  it('what waits for the network is forgotten too when another tab clears the conversation', async () => {
    const storage = createMemoryStorage();
    const connection = { isOnline: () => false, subscribe: () => () => {} };
    const { conversation } = openConversation({ storage, connection });
    const sent = conversation.send('For later');
    await settle();
    expect(conversation.queue.items.get()).toHaveLength(1);
    await storage.remove('default');
    await sent;
    expect(conversation.queue.items.get()).toEqual([]);
    await settle();
    expect(await storage.list()).toEqual([]);
    conversation.dispose();
  });

  it('a model chosen while the record is read wins over the saved one, and is saved', async () => {
    const storage = createMemoryStorage();
    await storage.save(fullRecord('default'));
    const { conversation } = openConversation({ storage });
    conversation.setModel('chosen');
    await settle();
    expect(conversation.model.get()).toBe('chosen');
    expect((await storage.load('default'))?.model).toBe('chosen');
  });

  it('dispose() saves what was written of the answer', async () => {
    const storage = createMemoryStorage();
    const { conversation, client } = openConversation({ storage });
    void conversation.send('Hello');
    await settle();
    client.last().emit(text('Half'));
    await settle();
    conversation.dispose();
    await settle();
    expect((await storage.load('default'))?.nodes[1]).toMatchObject({
      text: 'Half',
      end: { kind: 'stopped' },
    });
  });
});

describe('a storage that fails', () => {
  it.each([
    ['corrupt', '{"version":1}', 'corrupt_record'],
    ['newer', JSON.stringify({ ...fullRecord('default'), version: 3 }), 'newer_record'],
  ])('a %s record is never written over, and the chat works without it', async (_, saved, code) => {
    const area = createTextArea();
    area.setItem('ziggie:app:default', saved);
    const errors: unknown[] = [];
    const storage = createLocalStorage({ namespace: 'app', area });
    const { conversation, client } = openConversation({
      storage,
      onStorageError: (error) => errors.push(error),
    });
    const sent = conversation.send('Hello');
    await settle();
    client.last().emit(text('Hi'), done);
    await sent;
    conversation.setModel('other');
    await settle();
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Hi']);
    expect(conversation.storageState.get()).toBe('failed');
    expect(errors).toEqual([expect.objectContaining({ code })]);
    expect(area.getItem('ziggie:app:default')).toBe(saved);
    // Only who says so gets rid of it.
    await conversation.clear();
    expect(area.length).toBe(0);
    expect(conversation.storageState.get()).toBe('ready');
    void conversation.send('Saved again');
    await settle();
    expect(area.getItem('ziggie:app:default')).toContain('Saved again');
    conversation.dispose();
  });

  it('a turn begun while an unreadable record is being removed is saved once it is gone', async () => {
    const area = createTextArea();
    area.setItem('ziggie:app:default', 'damaged');
    const { conversation } = openConversation({ storage: createLocalStorage({ namespace: 'app', area }) });
    await settle();
    const cleared = conversation.clear();
    void conversation.send('New');
    expect(area.getItem('ziggie:app:default')).toBe('damaged');
    await cleared;
    await settle();
    expect(area.getItem('ziggie:app:default')).toContain('New');
    conversation.dispose();
  });

  it('a record of a foreign storage is checked as strictly as any', async () => {
    const record = { ...fullRecord('default'), head: 'nobody' };
    const storage = { ...createMemoryStorage(), load: async () => record };
    const { conversation } = openConversation({ storage });
    await settle();
    expect(conversation.storageState.get()).toBe('failed');
    expect(conversation.getState().nodes.size).toBe(0);
  });

  it('no room: the chat goes on, says failed, and ready again when there is room', async () => {
    const area = createTextArea(2000);
    const errors: unknown[] = [];
    const { conversation, client } = openConversation({
      storage: createLocalStorage({ namespace: 'app', area }),
      onStorageError(error) {
        errors.push(error);
      },
    });
    const sent = conversation.send('x'.repeat(5000));
    await settle();
    expect(conversation.storageState.get()).toBe('failed');
    client.last().emit(text('Hi'), done);
    await sent;
    await settle();
    expect(conversation.message('m2').get()?.end?.kind).toBe('complete');
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatchObject({ code: 'storage_full' });
    await conversation.clear();
    void conversation.send('short');
    await settle();
    expect(conversation.storageState.get()).toBe('ready');
    conversation.dispose();
  });

  it('a removal that fails is told to who asked for it', async () => {
    const storage: ConversationStorage = {
      ...createMemoryStorage(),
      remove: () => Promise.reject(new Error('disk on fire')),
    };
    const { conversation } = openConversation({ storage });
    await settle();
    await expect(conversation.clear()).rejects.toThrow('disk on fire');
    expect(conversation.storageState.get()).toBe('failed');
  });

  it('one that throws at once, or rejects with nothing, is a failed one', async () => {
    const load = (): never => {
      throw new Error('not today');
    };
    const save = (_: ConversationRecord): Promise<void> => Promise.reject(undefined);
    const first = openConversation({ storage: { ...createMemoryStorage(), load } });
    const second = openConversation({ storage: { ...createMemoryStorage(), save } });
    void second.conversation.send('Hello');
    await settle();
    expect(first.conversation.storageState.get()).toBe('failed');
    expect(second.conversation.storageState.get()).toBe('failed');
    second.conversation.dispose();
  });
});
