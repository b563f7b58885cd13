import { describe, expect, it } from 'vitest';
import { openConversation, settle } from '../../test/conversation/open-conversation.ts';
import { fullRecord } from '../../test/conversation/storage.contract.ts';
import type { ChatEvent } from '../types.ts';
import { createMemoryStorage } from './storage/memory.ts';
import type { ConversationRecord, MessageNode } from './types.ts';

const text = (words: string): ChatEvent => ({ type: 'text-delta', text: words });
const done: ChatEvent = { type: 'done', finishReason: 'stop', timings: {} };

/** 50 messages, one below the other, saved under the default id. */
async function longConversation() {
  const storage = createMemoryStorage();
  const nodes = Array.from({ length: 50 }, (_, index): MessageNode => {
    const role = index % 2 === 0 ? 'user' : 'assistant';
    const parentId = index === 0 ? null : `old${index - 1}`;
    return { id: `old${index}`, parentId, role, text: `${index}`, thinking: '', toolCalls: [], createdAt: 0 };
  });
  const record: ConversationRecord = { ...fullRecord('default'), head: 'old49', nodes };
  await storage.save(record);
  const open = openConversation({ storage });
  await settle();
  return open;
}

describe('publishing', () => {
  it('5,000 deltas in one task are one notification, with the whole text', async () => {
    const { conversation, client, frame, framesAsked } = openConversation();
    void conversation.send('Hello');
    await settle();
    const cell = conversation.message('m2');
    let calls = 0;
    cell.subscribe(() => calls++);
    frame();
    const asked = framesAsked();
    client.last().emit(...Array.from({ length: 5000 }, (_, index) => text(`${index},`)));
    await settle();
    expect(calls).toBe(0);
    expect(cell.get()?.text).toBe('');
    expect(framesAsked()).toBe(asked + 1);
    frame();
    expect(calls).toBe(1);
    expect(cell.get()?.text).toBe(Array.from({ length: 5000 }, (_, index) => `${index},`).join(''));
    expect(frame()).toBe(false);
    conversation.dispose();
  });

  it('1,000 tokens below 50 old messages notify no old cell and never the list', async () => {
    const { conversation, client, frame } = await longConversation();
    void conversation.send('Hello');
    const ids = conversation.messageIds.get();
    expect(ids).toHaveLength(52);
    const calls = new Map<string, number>();
    for (const id of ids) conversation.message(id).subscribe(() => calls.set(id, (calls.get(id) ?? 0) + 1));
    const before = ids.map((id) => conversation.message(id).get());
    let lists = 0;
    conversation.messageIds.subscribe(() => lists++);
    conversation.runningId.subscribe(() => lists++);
    for (let token = 0; token < 1000; token++) {
      client.last().emit(text('x'));
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
      frame();
    }
    await settle();
    frame();
    expect([...calls.keys()]).toEqual(['m2']);
    expect(calls.get('m2')).toBeGreaterThan(900);
    expect(conversation.message('m2').get()?.text).toHaveLength(1000);
    expect(lists).toBe(0);
    expect(conversation.messageIds.get()).toBe(ids);
    for (const [index, id] of ids.entries()) {
      if (id !== 'm2') expect(conversation.message(id).get()).toBe(before[index]);
    }
    conversation.dispose();
  });

  it('a value is the same object until its cell is notified', async () => {
    const { conversation, client, frame } = openConversation();
    void conversation.send('Hello');
    await settle();
    client.last().emit(text('a'));
    await settle();
    frame();
    const read = () =>
      [conversation.message('m2'), conversation.phase, conversation.messageIds].map((cell) => cell.get());
    const before = read();
    client.last().emit(text('b'));
    await settle();
    for (const [index, value] of read().entries()) expect(value).toBe(before[index]);
    expect(conversation.getState().nodes.get('m2')).toBe(before[0]);
    frame();
    expect(read()[0]).not.toBe(before[0]);
    expect(read()[1]).not.toBe(before[1]);
    expect(read()[2]).toBe(before[2]);
    conversation.dispose();
  });

  it('watchers see all cells of one state, whichever is called first', async () => {
    const { conversation, client } = openConversation();
    const sent = conversation.send('Hello');
    await settle();
    const seen: unknown[] = [];
    for (const cell of [conversation.phase, conversation.runningId, conversation.message('m2')]) {
      cell.subscribe(() =>
        seen.push([
          conversation.phase.get(),
          conversation.runningId.get(),
          conversation.message('m2').get()?.end?.kind,
        ]),
      );
    }
    client.last().emit(done);
    await sent;
    expect(seen).toEqual(Array(3).fill([null, null, 'complete']));
  });

  it('the same function may watch twice, and each watch ends on its own', async () => {
    const { conversation } = openConversation();
    let calls = 0;
    const listener = (): void => void calls++;
    const end = conversation.model.subscribe(listener);
    conversation.model.subscribe(listener);
    conversation.setModel('a');
    expect(calls).toBe(2);
    end();
    end();
    conversation.setModel('b');
    expect(calls).toBe(3);
    conversation.setModel('b');
    expect(calls).toBe(3);
  });

  it('a watch that another watcher ended is not called any more', () => {
    const { conversation } = openConversation();
    const calls: string[] = [];
    let endSecond = (): void => {};
    conversation.model.subscribe(() => {
      calls.push('first');
      endSecond();
    });
    endSecond = conversation.model.subscribe(() => calls.push('second'));
    conversation.setModel('a');
    expect(calls).toEqual(['first']);
  });

  it('a watcher that throws is reported and hurts neither the others nor the run', async () => {
    const { conversation, client } = openConversation();
    const reported: unknown[] = [];
    const previous = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => reported.push(error));
    try {
      const sent = conversation.send('Hello');
      await settle();
      let others = 0;
      const boom = new Error('boom');
      conversation.phase.subscribe(() => {
        throw boom;
      });
      conversation.phase.subscribe(() => others++);
      client.last().emit(text('Hi'), done);
      await sent;
      await settle();
      expect(others).toBe(1);
      expect(reported).toEqual([boom]);
      expect(conversation.message('m2').get()?.end?.kind).toBe('complete');
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of previous) process.on('uncaughtException', listener);
    }
  });

  it('a watcher may act: the turn it starts is the only one', async () => {
    const { conversation, client } = openConversation();
    const sent = conversation.send('Hello');
    await settle();
    let next: Promise<void> | undefined;
    conversation.phase.subscribe(() => {
      if (conversation.phase.get() === null) next ??= conversation.send('More');
    });
    client.last().emit(done);
    await sent;
    expect(client.runs.map(({ open }) => open)).toEqual([false, true]);
    expect(conversation.messageIds.get()).toEqual(['m1', 'm2', 'm3', 'm4']);
    client.last().emit(done);
    await next;
    expect(conversation.phase.get()).toBeNull();
  });

  it('message() is one cell per id, before the message exists too', async () => {
    const { conversation } = openConversation();
    const cell = conversation.message('m1');
    expect(conversation.message('m1')).toBe(cell);
    expect(cell.get()).toBeUndefined();
    let calls = 0;
    cell.subscribe(() => calls++);
    void conversation.send('Hello');
    await settle();
    expect(cell.get()?.text).toBe('Hello');
    expect(calls).toBe(1);
    for (const id of ['__proto__', 'toString', 'constructor']) {
      expect(conversation.message(id).get()).toBeUndefined();
    }
    conversation.dispose();
  });

  it('a schedule that publishes at once is as good as any', async () => {
    const { conversation, client } = openConversation({ schedule: (publish) => publish() });
    const sent = conversation.send('Hello');
    await settle();
    const texts: (string | undefined)[] = [];
    conversation.message('m2').subscribe(() => texts.push(conversation.message('m2').get()?.text));
    client.last().emit(text('a'), text('b'), done);
    await sent;
    expect(texts).toEqual(['a', 'ab', 'ab']);
  });
});
