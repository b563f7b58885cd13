import { describe, expect, it } from 'vitest';
import { openConversation, settle, shown } from '../../test/conversation/open-conversation.ts';
import { ZiggieError } from '../errors/ziggie-error.ts';
import type { ChatEvent } from '../types.ts';
import { createMemoryStorage } from './storage/memory.ts';
import type { Conversation } from './types.ts';

const text = (words: string): ChatEvent => ({ type: 'text-delta', text: words });
const done: ChatEvent = { type: 'done', finishReason: 'stop', timings: {} };
const busy = new ZiggieError('server_busy', 'Busy.');

const waiting = ({ queue }: Conversation) => queue.items.get().map(({ text: words }) => words);

/** A network that the test turns on and off. */
function network() {
  const listeners = new Set<() => void>();
  let online = true;
  return {
    isOnline: () => online,
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    turn(to: boolean) {
      online = to;
      for (const listener of listeners) listener();
    },
    watchers: () => listeners.size,
  };
}

/** A conversation that writes an answer to `one` while `two` and `three` wait. */
async function withQueue() {
  const open = openConversation();
  const sent = [open.conversation.send('one')];
  await settle();
  sent.push(open.conversation.send('two'), open.conversation.send('three'));
  await settle();
  return { ...open, sent };
}

describe('the queue', () => {
  it('takes what is sent while an answer is written, and sends it in order, each with its own model', async () => {
    const { conversation, client, sent } = await withQueue();
    conversation.setModel('other');
    sent.push(conversation.send('four'), conversation.send('five', { model: 'own' }));
    await settle();
    expect(waiting(conversation)).toEqual(['two', 'three', 'four', 'five']);
    for (let turn = 1; turn <= 5; turn++) {
      client.last().emit(text(`answer ${turn}`), done);
      await settle();
    }
    await Promise.all(sent);
    expect(client.runs.map(({ request }) => request.model)).toEqual(['m', 'm', 'm', 'other', 'own']);
    expect(shown(conversation).filter((_, index) => index % 2 === 0)).toEqual(
      ['one', 'two', 'three', 'four', 'five'].map((words) => `user: ${words}`),
    );
    expect(conversation.queue.items.get()).toEqual([]);
  });

  it('can be edited, put in another order and shortened; the send of what is taken out resolves', async () => {
    const { conversation, client, sent } = await withQueue();
    const { queue } = conversation;
    const [two, three] = queue.items.get().map(({ id }) => id) as [string, string];
    queue.edit(two, { text: 'two, better', attachments: [{ kind: 'file', name: 'a', text: 'b' }] });
    queue.move(three, 0);
    expect(waiting(conversation)).toEqual(['three', 'two, better']);
    queue.move(three, 99);
    expect(waiting(conversation)).toEqual(['two, better', 'three']);
    for (const id of ['nobody', '']) {
      queue.move(id, 0);
      queue.remove(id);
      queue.edit(id, 'x');
    }
    expect(() => queue.edit(two, ' ')).toThrow(TypeError);
    queue.remove(three);
    await sent[2];
    client.last().emit(done);
    await settle();
    expect(client.last().request.messages.at(-1)?.content).toBe('a\n```\nb\n```\n\ntwo, better');
    expect(conversation.message(two).get()?.role).toBe('user');
    conversation.dispose();
  });

  it.each([
    ['stopped', (conversation: Conversation) => conversation.stop()],
    ['failed', (_: Conversation, fail: (error: unknown) => void) => fail(busy)],
  ] as const)(
    'is paused and kept when the answer before is %s, and follows the next turn',
    async (why, end) => {
      const { conversation, client, sent } = await withQueue();
      end(conversation, (error) => client.last().fail(error));
      await sent[0];
      expect(conversation.queue.paused.get()).toBe(why);
      expect(waiting(conversation)).toEqual(['two', 'three']);
      expect(client.runs).toHaveLength(1);
      // Sent with nothing running: it goes first, the others after it.
      const now = conversation.send('now');
      expect(client.last().request.messages.at(-1)?.content).toBe('now');
      client.last().emit(done);
      await now;
      expect(client.last().request.messages.at(-1)?.content).toBe('two');
      conversation.dispose();
      await Promise.all(sent);
    },
  );

  it('resume() goes on after a pause, pause() holds it back', async () => {
    const { conversation, client, sent } = await withQueue();
    conversation.queue.pause();
    client.last().emit(done);
    await sent[0];
    expect(conversation.queue.paused.get()).toBe('held');
    expect(client.runs).toHaveLength(1);
    conversation.queue.resume();
    expect(client.runs).toHaveLength(2);
    expect(conversation.queue.paused.get()).toBeNull();
    conversation.dispose();
  });

  it('whenBusy interrupt stops the answer and goes next; the queue goes on after it', async () => {
    const { conversation, client, sent } = await withQueue();
    client.last().emit(text('Half'));
    await settle();
    void conversation.send('quick', { whenBusy: 'interrupt' });
    await sent[0];
    await settle();
    expect(shown(conversation)).toEqual([
      'user: one',
      'assistant: Half (stopped)',
      'user: quick',
      'assistant: ',
    ]);
    expect(conversation.queue.paused.get()).toBeNull();
    client.last().emit(done);
    await settle();
    expect(client.last().request.messages.at(-1)?.content).toBe('two');
    conversation.dispose();
  });

  it('clear() empties it and resolves what was sent', async () => {
    const { conversation, sent } = await withQueue();
    await conversation.clear();
    await Promise.all(sent);
    expect(waiting(conversation)).toEqual([]);
    expect(conversation.getState().nodes.size).toBe(0);
  });

  it('is there again after the page was loaded anew, and waits until somebody looks at it', async () => {
    const storage = createMemoryStorage();
    const before = openConversation({ storage });
    void before.conversation.send('one');
    void before.conversation.send('two');
    await settle();
    await settle();
    const saved = await storage.load('default');
    before.conversation.dispose();
    const fresh = createMemoryStorage();
    await fresh.save(saved as NonNullable<typeof saved>);
    let ids = 100;
    const after = openConversation({ storage: fresh, createId: () => `m${++ids}` });
    await settle();
    expect(waiting(after.conversation)).toEqual(['two']);
    expect(after.conversation.queue.paused.get()).toBe('reloaded');
    expect(after.client.runs).toHaveLength(0);
    after.conversation.queue.resume();
    expect(after.client.last().request.messages.at(-1)?.content).toBe('two');
    after.conversation.dispose();
  });
});

describe('without a network', () => {
  it('what is sent waits and goes out, in order, when the network is back', async () => {
    const connection = network();
    const { conversation, client } = openConversation({ connection });
    await settle();
    connection.turn(false);
    const sent = [conversation.send('one'), conversation.send('two')];
    await settle();
    expect(waiting(conversation)).toEqual(['one', 'two']);
    expect(conversation.queue.paused.get()).toBe('offline');
    expect(client.runs).toHaveLength(0);
    connection.turn(true);
    client.last().emit(text('1'), done);
    await sent[0];
    client.last().emit(text('2'), done);
    await sent[1];
    expect(shown(conversation)).toEqual(['user: one', 'assistant: 1', 'user: two', 'assistant: 2']);
    conversation.dispose();
    expect(connection.watchers()).toBe(0);
  });

  it('the queue waits for the network when the answer before broke off because of it', async () => {
    const connection = network();
    const { conversation, client } = openConversation({ connection });
    const first = conversation.send('one');
    await settle();
    void conversation.send('two');
    connection.turn(false);
    client.last().fail(new ZiggieError('connect_failed', 'Gone.'));
    await first;
    expect(conversation.queue.paused.get()).toBe('offline');
    connection.turn(true);
    expect(client.last().request.messages.at(-1)?.content).toBe('two');
    conversation.dispose();
  });

  it('a network that comes back lets nothing go that somebody paused', async () => {
    const connection = network();
    const { conversation, client } = openConversation({ connection });
    await settle();
    connection.turn(false);
    void conversation.send('one');
    conversation.queue.pause();
    connection.turn(true);
    expect(client.runs).toHaveLength(0);
    conversation.dispose();
  });
});
