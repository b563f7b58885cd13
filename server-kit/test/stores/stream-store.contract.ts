import type { StreamEvent } from '@ziggie/llm-protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StreamBounds, StreamHead, StreamStore } from '../../src/index.ts';

const head: StreamHead = { ownerKey: 'ada', model: 'stand-in' };
const bounds: StreamBounds = { keepMs: 60_000, graceMs: 30_000, maxBytes: 1024 * 1024, maxPerOwner: 3 };

function piece(seq: number, text = `t${seq}`): StreamEvent {
  return { type: 'text-delta', text, seq };
}
function pieces(from: number, to: number): StreamEvent[] {
  return Array.from({ length: to - from }, (_, at) => piece(from + at));
}
const done = (seq: number): StreamEvent => ({
  type: 'done',
  finishReason: 'stop',
  timings: { totalMs: 1 },
  seq,
});
const lost = (seq: number): StreamEvent => ({
  type: 'error',
  code: 'truncated',
  message: 'gone',
  status: 502,
  retryable: true,
  seq,
});

export interface StreamStoreBench {
  store: StreamStore;
  /** The same logs, as another process sees them. */
  other: StreamStore;
  /** Makes the writer of a log look gone, as its silence would. */
  silence(id: string): Promise<void>;
  /** Lets so much time pass that a log of these bounds is forgotten. */
  forget(id: string): Promise<void>;
  close(): void | Promise<void>;
}

/** What every store of streams must do. */
export function streamStoreContract(name: string, open: () => Promise<StreamStoreBench>): void {
  describe(`${name} as a store of streams`, () => {
    async function bench(): Promise<StreamStoreBench> {
      const made = await open();
      onTestFinished(() => made.close());
      return made;
    }

    async function all(store: StreamStore, id: string, after = -1): Promise<StreamEvent[] | undefined> {
      const events: StreamEvent[] = [];
      for (let last = after; ; ) {
        const page = await store.read(id, last, 0);
        if (page === undefined) return undefined;
        if (page.events.length === 0) return events;
        events.push(...page.events);
        last = page.events.at(-1)?.seq ?? last;
      }
    }

    test('gives back what was written, from any event on, to the byte', async () => {
      const { store, other } = await bench();
      const call: StreamEvent = {
        type: 'tool-call',
        id: 'c1',
        name: 'weather',
        arguments: { 2: 'b', 1: 'a', ort: 'Köln \u2028 "☃"', deep: { list: [null, 1.5, -0.1] } },
        seq: 40,
      };
      const events = [...pieces(0, 40), call, done(41)];
      expect(await store.open('s1', head, bounds)).toBe(true);
      expect(await store.append('s1', events.slice(0, 7), bounds)).toBe('go');
      expect(await store.append('s1', events.slice(7), bounds)).toBe('go');
      for (const from of [store, other]) {
        for (let after = -1; after < 41; after++) {
          const read = await all(from, 's1', after);
          expect(read?.map((event) => JSON.stringify(event))).toEqual(
            events.slice(after + 1).map((event) => JSON.stringify(event)),
          );
        }
      }
    });

    test('knows whose it is, and whether more will come', async () => {
      const { store, other, silence } = await bench();
      expect(await store.find('s1')).toBeUndefined();
      expect(await store.read('s1', -1, 0)).toBeUndefined();
      await store.open('s1', head, bounds);
      expect(await other.find('s1')).toEqual(head);
      expect(await other.read('s1', -1, 0)).toEqual({ events: [], writer: 'alive', next: 0 });
      await store.append('s1', [piece(0)], bounds);
      await silence('s1');
      expect(await other.read('s1', 0, 0)).toEqual({ events: [], writer: 'gone', next: 1 });
      expect(await store.renew(['s1'], bounds)).toEqual([]);
      expect(await other.read('s1', 0, 0)).toEqual({ events: [], writer: 'alive', next: 1 });
      await store.append('s1', [done(1)], bounds);
      expect(await other.read('s1', 1, 0)).toEqual({ events: [], writer: 'done', next: 2 });
    });

    test('a repeated call changes nothing, a gap is refused, and after the end nothing is taken', async () => {
      const { store } = await bench();
      await store.open('s1', head, bounds);
      await store.append('s1', pieces(0, 5), bounds);
      expect(await store.open('s1', head, bounds)).toBe(true);
      expect(await store.append('s1', pieces(2, 7), bounds)).toBe('go');
      expect(await all(store, 's1')).toEqual(pieces(0, 7));
      expect(await store.append('s1', [piece(9)], bounds)).toBe('lost');
      await store.append('s1', [done(7)], bounds);
      expect(await store.append('s1', [piece(8)], bounds)).toBe('lost');
      expect(await all(store, 's1')).toEqual([...pieces(0, 7), done(7)]);
      expect(await store.append('unknown', [piece(0)], bounds)).toBe('lost');
    });

    test('a log whose writer is gone is closed once, and its writer hears of it', async () => {
      const { store, other, silence } = await bench();
      await store.open('s1', head, bounds);
      await store.append('s1', pieces(0, 3), bounds);
      await other.bury('s1', lost(3), bounds);
      expect((await store.read('s1', 2, 0))?.events).toEqual([]);
      await silence('s1');
      await Promise.all([other.bury('s1', lost(3), bounds), other.bury('s1', lost(9), bounds)]);
      expect(await all(store, 's1')).toEqual([...pieces(0, 3), lost(3)]);
      expect(await store.append('s1', [piece(3)], bounds)).toBe('lost');
    });

    test('beyond its bytes an answer loses its oldest events, and who needs them is told', async () => {
      const { store } = await bench();
      const small = { ...bounds, maxBytes: 20_000 };
      await store.open('s1', head, small);
      for (let seq = 0; seq < 200; seq++) await store.append('s1', [piece(seq, 'x'.repeat(500))], small);
      expect(await store.read('s1', 3, 0)).toBeUndefined();
      const rest = await all(store, 's1', 190);
      expect(rest?.map(({ seq }) => seq)).toEqual([191, 192, 193, 194, 195, 196, 197, 198, 199]);
    });

    test('an owner has so many: the oldest finished ones go, running ones never', async () => {
      const { store } = await bench();
      for (const id of ['s1', 's2', 's3']) expect(await store.open(id, head, bounds)).toBe(true);
      expect(await store.open('s4', head, bounds)).toBe(false);
      expect(await store.open('of-bob', { ...head, ownerKey: 'bob' }, bounds)).toBe(true);
      await store.append('s2', [done(0)], bounds);
      await store.append('s3', [done(0)], bounds);
      expect(await store.open('s4', head, bounds)).toBe(true);
      expect(await store.find('s2')).toBeUndefined();
      expect(await store.find('s1')).toEqual(head);
      expect(await store.find('s3')).toEqual(head);
      await store.drop('s4');
      expect(await store.find('s4')).toBeUndefined();
      expect(await store.open('s5', head, bounds)).toBe(true);
      expect(await store.find('s3')).toEqual(head);
    });

    test('a wish to stop reaches the writer, whoever has it', async () => {
      const { store, other, silence } = await bench();
      const heard: string[] = [];
      onTestFinished(store.onStop((id) => heard.push(id)));
      await store.open('s1', head, bounds);
      await store.append('s1', [piece(0)], bounds);
      await expect
        .poll(async () => {
          // A listener is there as soon as its connection is.
          expect(await other.stop('s1')).toBe(true);
          return heard.includes('s1');
        })
        .toBe(true);
      expect(await store.append('s1', [piece(1)], bounds)).toBe('stop');
      expect(await store.renew(['s1', 'unknown'], bounds)).toEqual(['s1']);
      await store.append('s1', [done(2)], bounds);
      expect(await other.stop('s1')).toBe(false);
      expect(await other.stop('unknown')).toBe(false);
      await store.open('s2', head, bounds);
      await silence('s2');
      expect(await other.stop('s2')).toBe(false);
    });

    test('whoever watches hears that there is more, and that the log is gone', async () => {
      const { store, other } = await bench();
      await store.open('s1', head, bounds);
      let heard = 0;
      const stop = other.watch('s1', () => heard++);
      let seq = 0;
      await expect
        .poll(async () => {
          await store.append('s1', [piece(seq++)], bounds);
          return heard;
        })
        .toBeGreaterThan(0);
      const before = heard;
      await store.drop('s1');
      await expect.poll(() => heard).toBeGreaterThan(before);
      stop();
    });

    test('a reader in another process counts as present for a while', async () => {
      const { store, other } = await bench();
      await store.open('s1', head, bounds);
      expect(await store.readersStayMs('s1')).toBe(0);
      await other.read('s1', -1, 30_000);
      const stayMs = await store.readersStayMs('s1');
      expect(stayMs).toBeGreaterThan(20_000);
      expect(stayMs).toBeLessThanOrEqual(30_000);
    });

    test('is forgotten when its time is over', async () => {
      const { store, forget } = await bench();
      await store.open('s1', head, bounds);
      await store.append('s1', [piece(0), done(1)], bounds);
      await forget('s1');
      expect(await store.read('s1', -1, 0)).toBeUndefined();
      expect(await store.find('s1')).toBeUndefined();
    });

    test('what was begun and never written to takes no room once its writer is gone', async () => {
      const { store, silence } = await bench();
      for (const id of ['s1', 's2', 's3']) expect(await store.open(id, head, bounds)).toBe(true);
      await store.append('s2', [piece(0)], bounds);
      expect(await store.open('s4', head, bounds)).toBe(false);
      for (const id of ['s1', 's2']) await silence(id);
      await store.renew(['s3'], bounds);
      expect(await store.open('s4', head, bounds)).toBe(true);
      expect(await store.find('s1')).toBeUndefined();
      expect(await store.open('s5', head, bounds)).toBe(false);
      expect(await all(store, 's2')).toEqual([piece(0)]);
    });

    test('a key is claimed once; of many at once one gets it', async () => {
      const { store, other } = await bench();
      const claims = Array.from({ length: 20 }, (_, at) => ({ id: `s${at}`, bodyHash: `h${at}` }));
      const known = await Promise.all(
        claims.map((claim, at) => (at % 2 ? store : other).claim('key', claim, 60_000)),
      );
      const winners = claims.filter((_, at) => known[at] === undefined);
      expect(winners).toHaveLength(1);
      for (const one of known) expect([undefined, winners[0]]).toContainEqual(one);
      await store.unclaim('key', 'somebody else');
      expect(await store.claim('key', { id: 'x', bodyHash: 'x' }, 60_000)).toEqual(winners[0]);
      await other.unclaim('key', winners[0]?.id ?? '');
      expect(await store.claim('key', { id: 'x', bodyHash: 'y' }, 60_000)).toBeUndefined();
    });
  });
}

export interface StoredTextBench extends StreamStoreBench {
  /** Puts a text in the place of the first event of a log. */
  forge(id: string, text: string): Promise<void>;
}

/** What a store must do whose events are texts outside this process, where others could write them. */
export function storedTextContract(name: string, open: () => Promise<StoredTextBench>): void {
  test.each(['{"seq":0}', '7', '{"seq":0,'])(
    `${name} gives no reader %s in the place of an event`,
    async (text) => {
      const { store, other, forge, close } = await open();
      onTestFinished(() => close());
      await store.open('s1', head, bounds);
      await store.append('s1', [piece(0)], bounds);
      await forge('s1', text);
      for (const from of [store, other]) await expect(async () => from.read('s1', -1, 0)).rejects.toThrow();
    },
  );
}
