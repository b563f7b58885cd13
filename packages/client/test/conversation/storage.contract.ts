import { describe, expect, it } from 'vitest';
import type { ConversationRecord, ConversationStorage } from '../../src/conversation/types.ts';

/** A record with everything in it that a record can hold. */
export function fullRecord(id: string): ConversationRecord {
  const failure = {
    code: 'server_busy',
    message: 'Later.',
    status: 503,
    retryable: true,
    requestId: 'req_1',
    retryAt: 17,
  };
  const call = {
    id: 'c1',
    name: 'weather',
    arguments: { city: 'Ås', days: [1, 2], deep: { a: null } },
    round: 0,
    textAt: 0,
    thinkingAt: 3,
    state: 'done',
    result: '12 °C',
    durationMs: 7,
  } as const;
  const image = { kind: 'image', data: 'iVBORw0KGgo=', mediaType: 'image/png', name: 'a.png' } as const;
  const file = { kind: 'file', name: 'a.txt', text: '```', mediaType: 'text/plain' } as const;
  const usage = { inputTokens: 5, cachedInputTokens: 2, outputTokens: 7, source: 'upstream' } as const;
  const timings = { queueMs: 1, loadMs: 2, prefillMs: 3, decodeMs: 4, ttftMs: 5, totalMs: 6 };
  const plain = { thinking: '', toolCalls: [], createdAt: 1 };
  return {
    version: 2,
    pinned: true,
    archived: false,
    removed: [['gone', 3]],
    queue: [{ id: 'q', text: 'Next', model: 'm:latest', queuedAt: 8, attachments: [image] }],
    cut: { firstId: 'constructor', summary: 'They said hello.' },
    detailsAt: 4,
    id,
    title: 'A "title" with ü, 語 and \u{1f600}',
    model: 'm:latest',
    head: 'constructor',
    updatedAt: 9,
    nodes: [
      {
        ...plain,
        id: '__proto__',
        parentId: null,
        role: 'user',
        text: 'Hello\n\u0000',
        attachments: [image, file],
      },
      {
        ...plain,
        id: 'a',
        parentId: '__proto__',
        role: 'assistant',
        text: '',
        end: { kind: 'failed', failure },
      },
      {
        id: 'constructor',
        parentId: '__proto__',
        role: 'assistant',
        text: 'Hi',
        thinking: 'Hm.',
        thinkingMs: 12.5,
        toolCalls: [call],
        createdAt: 2,
        changedAt: 5,
        sources: [{ id: 's1', title: 'Sky', url: 'https://example.org/', excerpt: 'blue' }],
        feedback: { rating: 'up', note: 'Good', at: 5 },
        model: 'm:latest',
        end: { kind: 'complete', finishReason: 'tool_calls' },
        usage,
        timings,
      },
      { ...plain, id: 's', parentId: null, role: 'system', text: 'Be kind.' },
      { ...plain, id: 't', parentId: 's', role: 'tool', text: '{}', end: { kind: 'stopped' } },
    ],
  };
}

/**
 * What every {@link ConversationStorage} keeps to. `open` gives a fresh, empty one; its `damage` writes a value where the
 * record of an id stands, if the storage lets anybody do that, and `raw` reads it.
 */
export function describeStorageContract(
  name: string,
  open: () => {
    storage: ConversationStorage;
    damage?: (id: string, text: string) => void | Promise<void>;
    raw?: (id: string) => string | null | Promise<string | null>;
    /** Another storage object over the same records, as another tab has one. */
    again?: () => ConversationStorage;
  },
): void {
  describe(`${name} as a ConversationStorage`, () => {
    it('load() gives back what was saved, every member of it', async () => {
      const { storage } = open();
      await storage.save(fullRecord('one'));
      expect(await storage.load('one')).toEqual(fullRecord('one'));
    });

    it('load() is null when there is nothing', async () => {
      const { storage } = open();
      await storage.save(fullRecord('one'));
      for (const id of ['two', 'toString', '__proto__', 'length']) expect(await storage.load(id)).toBeNull();
    });

    it('save() replaces, and keeps nothing of the caller', async () => {
      const { storage } = open();
      const record = fullRecord('one');
      await storage.save(record);
      record.nodes.length = 0;
      (await storage.load('one'))?.nodes.splice(0);
      expect(await storage.load('one')).toEqual(fullRecord('one'));
      await storage.save({ ...fullRecord('one'), title: 'Newer', detailsAt: 5 });
      expect((await storage.load('one'))?.title).toBe('Newer');
    });

    it('list() names what is there, remove() takes it out, also twice', async () => {
      const { storage } = open();
      const ids = ['one', '__proto__', 'a:b', 'ü/語', ' '];
      for (const id of ids) await storage.save(fullRecord(id));
      expect((await storage.list()).sort()).toEqual([...ids].sort());
      for (const id of ids) expect((await storage.load(id))?.id).toBe(id);
      await storage.remove('a:b');
      await storage.remove('a:b');
      expect((await storage.list()).sort()).toEqual(ids.filter((id) => id !== 'a:b').sort());
      expect(await storage.load('a:b')).toBeNull();
    });

    it('two of its kind do not see each other', async () => {
      const first = open().storage;
      const second = open().storage;
      await first.save(fullRecord('one'));
      expect(await second.list()).toEqual([]);
    });

    it('save() keeps what another tab added, deleted or renamed meanwhile, and tells the outcome', async () => {
      const { storage, again = () => storage } = open();
      const other = again();
      await storage.save(fullRecord('one'));
      const theirs = (await other.load('one')) as ConversationRecord;
      const plain = { role: 'user', thinking: '', toolCalls: [] } as const;
      const added = { ...plain, id: 'new', parentId: 'constructor', text: 'Theirs', createdAt: 20 };
      await other.save({
        ...theirs,
        nodes: [...theirs.nodes.filter(({ id }) => id !== 't'), added],
        removed: [...theirs.removed, ['t', 20]],
        title: 'Renamed',
        detailsAt: 20,
        updatedAt: 20,
      });
      const ours = fullRecord('one');
      const mine = { ...plain, id: 'mine', parentId: 'constructor', text: 'Ours', createdAt: 21 };
      const kept = await storage.save({ ...ours, nodes: [...ours.nodes, mine], head: 'mine', updatedAt: 21 });
      const saved = await storage.load('one');
      expect(saved).toEqual(await other.load('one'));
      expect(kept).toEqual(saved);
      expect(saved).toMatchObject({ title: 'Renamed', head: 'mine', updatedAt: 21 });
      const ids = saved?.nodes.map(({ id }) => id);
      expect(ids).toEqual(expect.arrayContaining(['new', 'mine']));
      expect(ids).not.toContain('t');
    });

    it('watch() tells of every change, here and from another tab, until it is left', async () => {
      const { storage, again = () => storage } = open();
      const seen: string[] = [];
      const leave = storage.watch?.(({ kind, id, updatedAt }) =>
        seen.push(`${kind} ${id} ${updatedAt ?? ''}`),
      );
      await storage.save(fullRecord('one'));
      expect(seen).toEqual(['saved one 9']);
      const other = again();
      await other.save({ ...fullRecord('one'), updatedAt: 10 });
      await other.remove('one');
      await expect.poll(() => seen).toEqual(['saved one 9', 'saved one 10', 'removed one ']);
      leave?.();
      leave?.();
      await storage.save(fullRecord('two'));
      expect(seen).toHaveLength(3);
    });

    it('a thousand conversations are listed, with what a list shows', async () => {
      const { storage } = open();
      const small = { ...fullRecord('one'), nodes: [], head: null, cut: null };
      for (let count = 0; count < 1000; count++) await storage.save({ ...small, id: `c${count}` });
      expect(await storage.list()).toHaveLength(1000);
      const summaries = await storage.summaries?.();
      if (summaries === undefined) return;
      expect(summaries).toHaveLength(1000);
      // The message that waits in the queue.
      expect(summaries[0]).toMatchObject({ title: fullRecord('one').title, pinned: true, messages: 1 });
    });

    const { damage, raw } = open();
    if (damage === undefined || raw === undefined) return;

    it.each([
      ['not JSON', '{"version":1,', 'corrupt_record'],
      ['not an object', '[]', 'corrupt_record'],
      ['no version', JSON.stringify({ ...fullRecord('one'), version: undefined }), 'corrupt_record'],
      ['another id', JSON.stringify(fullRecord('two')), 'corrupt_record'],
      [
        'nested too deep',
        `{"version":1,"id":"one","nodes":${'['.repeat(500)}${']'.repeat(500)}}`,
        'corrupt_record',
      ],
      ['a newer version', JSON.stringify({ ...fullRecord('one'), version: 3 }), 'newer_record'],
    ])('load() rejects a record that is %s and leaves it in place', async (_, text, code) => {
      const fresh = open();
      await fresh.damage?.('one', text);
      await expect(fresh.storage.load('one')).rejects.toMatchObject({
        name: 'ConversationStorageError',
        code,
      });
      await expect(fresh.storage.save(fullRecord('one'))).rejects.toMatchObject({ code });
      expect(await fresh.raw?.('one')).toBe(text);
      expect(await fresh.storage.list()).toEqual(['one']);
    });
  });
}
