import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fullRecord } from '../../test/conversation/storage.contract.ts';
import { mergeRecords } from './merge.ts';
import { parseRecord } from './record.ts';
import type { ConversationRecord, MessageNode } from './types.ts';

/** Records of one conversation as several tabs may have left them: few ids, parents before their children. */
const record: fc.Arbitrary<ConversationRecord> = fc
  .record({
    picks: fc.array(
      fc.record({
        slot: fc.nat(7),
        text: fc.constantFrom('', 'a', 'bb'),
        changedAt: fc.nat(20),
        removedAt: fc.option(fc.nat(20), { nil: null, freq: 3 }),
      }),
      { maxLength: 8 },
    ),
    updatedAt: fc.nat(20),
    detailsAt: fc.nat(20),
    title: fc.constantFrom(null, 'A', 'B'),
  })
  .map(({ picks, updatedAt, detailsAt, title }) => {
    const nodes = new Map<string, MessageNode>();
    const removed = new Map<string, number>();
    for (const { slot, text, changedAt, removedAt } of [...picks].sort(
      (one, other) => one.slot - other.slot,
    )) {
      const id = `n${slot}`;
      // The same id has the same parent everywhere, as messages do.
      const parentId = slot === 0 ? null : `n${(slot - 1) >> 1}`;
      if (nodes.has(id) || (parentId !== null && !nodes.has(parentId))) continue;
      if (removedAt === null) {
        const base = { thinking: '', toolCalls: [], role: 'user', createdAt: slot } as const;
        nodes.set(id, { ...base, id, parentId, text, changedAt: Math.max(slot, changedAt) });
      } else removed.set(id, removedAt);
    }
    return {
      ...fullRecord('one'),
      nodes: [...nodes.values()],
      head: [...nodes.keys()].at(-1) ?? null,
      removed: [...removed],
      queue: [],
      cut: null,
      updatedAt,
      detailsAt,
      title,
    };
  });

const contents = ({ nodes, removed }: ConversationRecord) => ({
  nodes: new Map(nodes.map((node) => [node.id, node])),
  removed: new Map(removed),
});

it('mergeRecords() gives a sound record, the same from both sides up to ties, and the same again when repeated', () => {
  fc.assert(
    fc.property(record, record, (one, other) => {
      const before = structuredClone([one, other]);
      const merged = mergeRecords(one, other);
      expect([one, other]).toEqual(before);
      expect(parseRecord(JSON.parse(JSON.stringify(merged)), 'one')).toEqual(merged);
      expect(contents(mergeRecords(merged, other)).nodes).toEqual(contents(merged).nodes);
      expect(contents(mergeRecords(merged, one)).nodes).toEqual(contents(merged).nodes);
      const texts = (from: ConversationRecord) =>
        from.nodes.map(({ id, changedAt }) => `${id} ${changedAt}`).sort();
      expect(texts(mergeRecords(other, one))).toEqual(texts(merged));
    }),
    { numRuns: 3000 },
  );
});

it('mergeRecords() loses no message that nobody deleted', () => {
  fc.assert(
    fc.property(record, record, (one, other) => {
      const merged = mergeRecords({ ...one, removed: [] }, { ...other, removed: [] });
      const ids = new Set(merged.nodes.map(({ id }) => id));
      for (const { nodes } of [one, other]) for (const { id } of nodes) expect(ids.has(id)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

const plain = { thinking: '', toolCalls: [], role: 'user', text: 'x' } as const;
const node = (id: string, parentId: string | null, at: number): MessageNode => ({
  ...plain,
  id,
  parentId,
  createdAt: at,
});
const of = (
  updatedAt: number,
  nodes: MessageNode[],
  removed: [string, number][] = [],
): ConversationRecord => ({
  ...fullRecord('one'),
  nodes,
  removed,
  head: nodes.at(-1)?.id ?? null,
  queue: [],
  updatedAt,
});

it('mergeRecords() keeps a deletion, unless something newer stands below the message', () => {
  const deleted = of(5, [], [['a', 4]]);
  expect(mergeRecords(deleted, of(3, [node('a', null, 1)])).nodes).toEqual([]);
  const answered = of(6, [node('a', null, 1), node('b', 'a', 6)]);
  const back = mergeRecords(deleted, answered);
  expect(back.nodes.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(back.removed).toEqual([]);
  // Who still knows of the deletion does not take it away again.
  expect(mergeRecords(deleted, back).nodes.map(({ id }) => id)).toEqual(['a', 'b']);
});

it('mergeRecords() keeps a message that was brought back after its deletion, and not one that was brought back before', () => {
  const deleted = of(5, [], [['a', 4]]);
  const restored = of(6, [{ ...node('a', null, 1), changedAt: 5 }]);
  for (const merged of [mergeRecords(deleted, restored), mergeRecords(restored, deleted)]) {
    expect(merged.nodes.map(({ id }) => id)).toEqual(['a']);
    expect(merged.removed).toEqual([]);
  }
  expect(mergeRecords(of(9, [], [['a', 8]]), restored).nodes).toEqual([]);
});

it('mergeRecords() drops from the queue what was sent meanwhile', () => {
  const turn = { id: 'q', text: 'x', model: 'm', queuedAt: 1 };
  const waiting = { ...of(9, []), queue: [turn] };
  expect(mergeRecords(waiting, of(3, [])).queue).toEqual([turn]);
  expect(mergeRecords(waiting, of(3, [node('q', null, 2)])).queue).toEqual([]);
});

it('mergeRecords() takes title, model, pinned and archived from whoever changed them last, not from who saved last', () => {
  const renamed = { ...of(3, []), title: 'Renamed', pinned: false, archived: true, detailsAt: 2 };
  const writing = { ...of(9, [node('a', null, 1)]), title: 'Old', detailsAt: 1 };
  for (const merged of [mergeRecords(renamed, writing), mergeRecords(writing, renamed)]) {
    expect(merged).toMatchObject({
      title: 'Renamed',
      pinned: false,
      archived: true,
      head: 'a',
      updatedAt: 9,
    });
  }
});
