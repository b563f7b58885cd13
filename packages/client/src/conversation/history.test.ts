import { expect, it } from 'vitest';
import { openConversation, settle, shown } from '../../test/conversation/open-conversation.ts';
import { fullRecord } from '../../test/conversation/storage.contract.ts';
import { createTextArea } from '../../test/conversation/text-area.ts';
import { createHistory } from './history.ts';
import { createLocalStorage } from './storage/local-storage.ts';
import { createMemoryStorage } from './storage/memory.ts';
import type { ConversationRecord, ConversationStorage } from './types.ts';

const record = (
  id: string,
  updatedAt: number,
  more: Partial<ConversationRecord> = {},
): ConversationRecord => ({
  ...fullRecord(id),
  title: `Title ${id}`,
  pinned: false,
  queue: [],
  updatedAt,
  ...more,
});

async function withRecords(...records: ConversationRecord[]) {
  const storage = createMemoryStorage();
  for (const each of records) await storage.save(each);
  let now = 1000;
  const history = createHistory({ storage, wallNow: () => ++now, createId: () => 'fresh' });
  await settle();
  return { storage, history };
}

const ids = (cell: { get(): readonly { id: string }[] }) => cell.get().map(({ id }) => id);

it('createHistory() lists pinned ones first, then the newest, archived ones apart, and follows the storage', async () => {
  const { storage, history } = await withRecords(record('a', 1), record('b', 2), record('c', 3));
  expect(ids(history.conversations)).toEqual(['c', 'b', 'a']);
  await history.pin('a', true);
  await history.archive('c', true);
  expect(ids(history.conversations)).toEqual(['a', 'b']);
  expect(ids(history.archived)).toEqual(['c']);
  await history.archive('c', false);
  await history.pin('a', false);
  expect(ids(history.conversations)).toEqual(['c', 'b', 'a']);
  await storage.save(record('d', 9));
  await settle();
  expect(ids(history.conversations)).toEqual(['d', 'c', 'b', 'a']);
  // Rows that did not change stay the same objects.
  const before = history.conversations.get();
  await history.rename('d', ' New name ');
  expect(history.conversations.get()[0]?.title).toBe('New name');
  expect(history.conversations.get()[1]).toBe(before[1]);
  await expect(history.rename('d', ' ')).rejects.toThrow(TypeError);
  await expect(history.pin('nobody', true)).rejects.toThrow('nothing is saved');
  history.dispose();
});

it('createHistory() has no row "Untitled" for a conversation in which nothing was said', async () => {
  const blank = { title: null, nodes: [], head: null };
  const { queue } = fullRecord('waiting');
  const { history } = await withRecords(
    record('blank', 1, blank),
    record('named', 2, { ...blank, title: 'Named' }),
    record('pinned', 3, { ...blank, pinned: true }),
    record('waiting', 4, { ...blank, queue }),
  );
  expect(queue).not.toEqual([]);
  expect(ids(history.conversations)).toEqual(['pinned', 'waiting', 'named']);
  history.dispose();
});

it('createHistory() remove() deletes at once and its undo brings everything back', async () => {
  const { storage, history } = await withRecords(record('a', 1), record('b', 2));
  history.open('a');
  const undo = await history.remove('a');
  expect(ids(history.conversations)).toEqual(['b']);
  expect(history.activeId.get()).toBeNull();
  expect(await storage.load('a')).toBeNull();
  await undo();
  expect(ids(history.conversations)).toEqual(['b', 'a']);
  expect(await storage.load('a')).toEqual(record('a', 1));
  await history.removeAll();
  expect(await storage.list()).toEqual([]);
  expect(history.conversations.get()).toEqual([]);
});

it('createHistory() finds all words in titles and messages, without case and accents; a newer search ends the older', async () => {
  const plain = { role: 'user', thinking: '', toolCalls: [], createdAt: 1, parentId: null } as const;
  const long = `${'ä'.repeat(300)} The Ångström unit is ${'x'.repeat(200)}`;
  const { history } = await withRecords(
    record('a', 1, { nodes: [{ ...plain, id: 'm', text: long }], head: 'm' }),
    record('b', 2, { title: 'Angstrom and UNIT' }),
    record('c', 3),
  );
  const first = history.search('nothing like it');
  await Promise.all([history.search('ÅNGSTRÖM unit'), first]);
  expect(history.hits.get()?.map(({ conversation, messageId }) => [conversation.id, messageId])).toEqual([
    ['b', null],
    ['a', 'm'],
  ]);
  const excerpt = history.hits.get()?.[1]?.excerpt ?? '';
  expect(excerpt).toContain('The Ångström unit');
  expect(excerpt.startsWith('…ä') && excerpt.endsWith('x…') && excerpt.length < 100).toBe(true);
  await history.search('title unheard');
  expect(history.hits.get()).toEqual([]);
  await history.search(' ');
  expect(history.hits.get()).toBeNull();
});

it('createHistory() shows a record that cannot be read, and lets it be deleted', async () => {
  const area = createTextArea();
  const storage = createLocalStorage({ namespace: 'app', area });
  await storage.save(record('a', 1));
  area.setItem('ziggie:app:broken', '{');
  const history = createHistory({ storage });
  await settle();
  expect(history.conversations.get()).toEqual([
    expect.objectContaining({ id: 'a' }),
    expect.objectContaining({ id: 'broken', unreadable: 'corrupt_record' }),
  ]);
  await history.search('hi');
  expect(history.hits.get()).toHaveLength(1);
  const undo = await history.remove('broken');
  expect(area.getItem('ziggie:app:broken')).toBeNull();
  await expect(undo()).rejects.toMatchObject({ code: 'corrupt_record' });
  history.dispose();
});

it('createHistory() says when the storage fails, and keeps what it knew', async () => {
  const base = createMemoryStorage();
  await base.save(record('a', 1));
  let broken = false;
  const storage: ConversationStorage = {
    ...base,
    list: () => (broken ? Promise.reject(new Error('gone')) : base.list()),
  };
  const errors: unknown[] = [];
  const history = createHistory({ storage, onStorageError: (error) => errors.push(error) });
  await settle();
  broken = true;
  await history.refresh();
  expect(history.state.get()).toBe('failed');
  expect(ids(history.conversations)).toEqual(['a']);
  expect(errors).toEqual([new Error('gone')]);
});

it('a conversation that is open hears of its new name, of its deletion and of the undo; create() gives it a place', async () => {
  const { storage, history } = await withRecords();
  const id = history.create();
  expect(history.activeId.get()).toBe('fresh');
  const { conversation, client } = openConversation({ storage, id });
  const sent = conversation.send('Hello');
  await settle();
  client.last().emit({ type: 'text-delta', text: 'Hi' }, { type: 'done', finishReason: 'stop', timings: {} });
  await sent;
  await settle();
  expect(history.conversations.get()).toEqual([expect.objectContaining({ id, title: 'Hello', messages: 2 })]);
  await history.rename(id, 'Greetings');
  await settle();
  expect(conversation.title.get()).toBe('Greetings');
  const undo = await history.remove(id);
  await settle();
  expect(shown(conversation)).toEqual([]);
  await undo();
  await settle();
  expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Hi']);
  conversation.dispose();
  history.dispose();
});

it('remove() of a conversation that is being answered stops it; nothing of it is saved again, and the undo knows the last word', async () => {
  const { storage, history } = await withRecords();
  const { conversation, client } = openConversation({ storage, id: 'open' });
  const sent = conversation.send('Count');
  await settle();
  client.last().emit({ type: 'text-delta', text: 'One two' });
  await settle();
  const undo = await history.remove('open', conversation);
  await sent;
  await settle();
  expect(await storage.list()).toEqual([]);
  expect(shown(conversation)).toEqual([]);
  conversation.dispose();
  await undo();
  expect((await storage.load('open'))?.nodes.map(({ text }) => text)).toEqual(['Count', 'One two']);
  history.dispose();
});

it('two tabs with one conversation: what one writes the other shows, and no save loses a message', async () => {
  const area = createTextArea();
  let now = 0;
  const tab = (prefix: string) => {
    let count = 0;
    return openConversation({
      wallNow: () => ++now,
      storage: createLocalStorage({ namespace: 'two-tabs', area }),
      createId: () => `${prefix}${++count}`,
    });
  };
  const one = tab('a');
  const two = tab('b');
  await settle();
  const answer = async ({ conversation, client }: typeof one, question: string) => {
    const sent = conversation.send(question);
    await settle();
    client
      .last()
      .emit(
        { type: 'text-delta', text: `To ${question}` },
        { type: 'done', finishReason: 'stop', timings: {} },
      );
    await sent;
  };
  await answer(one, 'one');
  await expect.poll(() => shown(two.conversation)).toEqual(['user: one', 'assistant: To one']);
  await answer(two, 'two');
  await expect
    .poll(() => shown(one.conversation))
    .toEqual(['user: one', 'assistant: To one', 'user: two', 'assistant: To two']);
  // Both at once: each keeps its own branch in sight, and has the other's beside it.
  await Promise.all([answer(one, 'left'), answer(two, 'right')]);
  await expect.poll(() => one.conversation.getState().nodes.size).toBe(8);
  await expect.poll(() => two.conversation.getState().nodes.size).toBe(8);
  expect(shown(one.conversation).at(-1)).toBe('assistant: To left');
  expect(shown(two.conversation).at(-1)).toBe('assistant: To right');
  expect(two.conversation.siblings('b3')).toHaveLength(2);
  one.conversation.dispose();
  two.conversation.dispose();
});
