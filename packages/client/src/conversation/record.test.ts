import { describe, expect, it } from 'vitest';
import { fullRecord } from '../../test/conversation/storage.contract.ts';
import { parseRecord, toRecord } from './record.ts';
import { emptyState } from './reduce.ts';

const parsed = (change: (record: ReturnType<typeof loose>) => void): (() => unknown) => {
  const record = loose();
  change(record);
  return () => parseRecord(JSON.parse(JSON.stringify(record)), 'one');
};

// Loosely typed on purpose: damaged records are what these tests make.
// biome-ignore lint/suspicious/noExplicitAny: see above
function loose(): any {
  return structuredClone(fullRecord('one'));
}

describe('parseRecord()', () => {
  it('copies what it knows and drops the rest', () => {
    const record = loose();
    record.extra = 1;
    record.nodes[0].onclick = 'x';
    record.nodes[2].end.extra = 1;
    expect(parseRecord(record, 'one')).toEqual(fullRecord('one'));
  });

  it('an empty conversation is one', () => {
    const empty = toRecord(emptyState('one', null), 0);
    expect(parseRecord(empty, 'one')).toEqual(empty);
  });

  it.each<[string, (record: ReturnType<typeof loose>) => void]>([
    [
      'version',
      (record) => {
        record.version = '1';
      },
    ],
    [
      'version',
      (record) => {
        record.version = 0;
      },
    ],
    [
      'id',
      (record) => {
        record.id = 'two';
      },
    ],
    [
      'title',
      (record) => {
        record.title = 7;
      },
    ],
    [
      'model',
      (record) => {
        delete record.model;
      },
    ],
    [
      'head',
      (record) => {
        record.head = 'nobody';
      },
    ],
    [
      'head',
      (record) => {
        record.head = 'toString';
      },
    ],
    [
      'updatedAt',
      (record) => {
        record.updatedAt = null;
      },
    ],
    [
      'nodes',
      (record) => {
        record.nodes = {};
      },
    ],
    [
      'nodes[0]',
      (record) => {
        record.nodes[0] = null;
      },
    ],
    [
      'nodes[1].id',
      (record) => {
        record.nodes[1].id = '__proto__';
      },
    ],
    [
      'nodes[1].id',
      (record) => {
        record.nodes[1].id = '';
      },
    ],
    [
      'nodes[1].parentId',
      (record) => {
        record.nodes[1].parentId = 'nobody';
      },
    ],
    [
      'nodes[1].parentId',
      (record) => {
        record.nodes[1].parentId = 'a';
      },
    ],
    // A cycle: each is the other's parent.
    [
      'nodes[0].parentId',
      (record) => {
        record.nodes[0].parentId = 'a';
      },
    ],
    [
      'nodes[0].role',
      (record) => {
        record.nodes[0].role = 'admin';
      },
    ],
    [
      'nodes[0].role',
      (record) => {
        record.nodes[0].role = 'constructor';
      },
    ],
    [
      'nodes[0].text',
      (record) => {
        record.nodes[0].text = ['x'];
      },
    ],
    [
      'nodes[0].thinking',
      (record) => {
        delete record.nodes[0].thinking;
      },
    ],
    [
      'nodes[0].createdAt',
      (record) => {
        record.nodes[0].createdAt = '1';
      },
    ],
    [
      'nodes[2].thinkingMs',
      (record) => {
        record.nodes[2].thinkingMs = 'long';
      },
    ],
    [
      'nodes[0].toolCalls',
      (record) => {
        record.nodes[0].toolCalls = null;
      },
    ],
    [
      'nodes[2].toolCalls[0].name',
      (record) => {
        record.nodes[2].toolCalls[0].name = 1;
      },
    ],
    [
      'nodes[2].toolCalls[0].arguments',
      (record) => {
        record.nodes[2].toolCalls[0].arguments = [];
      },
    ],
    [
      'nodes[2].end.kind',
      (record) => {
        record.nodes[2].end = { kind: 'won' };
      },
    ],
    [
      'nodes[2].end.finishReason',
      (record) => {
        record.nodes[2].end.finishReason = 'bored';
      },
    ],
    [
      'nodes[1].end.failure',
      (record) => {
        record.nodes[1].end.failure = 'x';
      },
    ],
    [
      'nodes[1].end.failure.retryable',
      (record) => {
        record.nodes[1].end.failure.retryable = 'no';
      },
    ],
    [
      'nodes[1].end.failure.status',
      (record) => {
        record.nodes[1].end.failure.status = '503';
      },
    ],
    [
      'nodes[2].usage.inputTokens',
      (record) => {
        record.nodes[2].usage.inputTokens = null;
      },
    ],
    [
      'nodes[2].usage.source',
      (record) => {
        record.nodes[2].usage.source = 'me';
      },
    ],
    [
      'nodes[2].timings.totalMs',
      (record) => {
        record.nodes[2].timings.totalMs = {};
      },
    ],
  ])('refuses a wrong %s by name', (member, change) => {
    expect(parsed(change)).toThrow(
      expect.objectContaining({
        code: 'corrupt_record',
        message: `Reading a saved conversation: ${member} is not as this library writes it. The record was left as it is.`,
      }),
    );
  });

  it('tells a newer version from a damaged one', () => {
    expect(
      parsed((record) => {
        record.version = 7;
      }),
    ).toThrow(expect.objectContaining({ code: 'newer_record' }));
  });

  it.each([[null], [undefined], ['{}'], [7], [[]]])('refuses %j', (value) => {
    expect(() => parseRecord(value, 'one')).toThrow(expect.objectContaining({ code: 'corrupt_record' }));
  });
});

describe('migrateRecord()', () => {
  it('a record of version 1 opens with everything it held', () => {
    const plain = { thinking: '', toolCalls: [], createdAt: 1 };
    const nodes = [
      { ...plain, id: 'u', parentId: null, role: 'user', text: 'Hello' },
      { ...plain, id: 'a', parentId: 'u', role: 'assistant', text: 'Hi', end: { kind: 'stopped' } },
    ];
    const old = { version: 1, id: 'one', title: 'T', model: 'm', head: 'a', nodes, updatedAt: 9 };
    const before = structuredClone(old);
    expect(parseRecord(old, 'one')).toEqual({
      ...old,
      version: 2,
      pinned: false,
      archived: false,
      removed: [],
      queue: [],
      cut: null,
      detailsAt: 9,
    });
    expect(old).toEqual(before);
  });
});
