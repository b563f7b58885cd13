import fc from 'fast-check';
import { expect } from 'vitest';
import { canEnter } from '../../src/conversation/phases.ts';
import { emptyState, reduce } from '../../src/conversation/reduce.ts';
import { createMemoryStorage } from '../../src/conversation/storage/memory.ts';
import type { Cell, ConversationState } from '../../src/conversation/types.ts';
import { ZiggieError } from '../../src/errors/ziggie-error.ts';
import { action, type Step, walk } from './arbitraries.ts';
import { expectCellsToShowState, expectSoundState } from './invariants.ts';
import { openConversation } from './open-conversation.ts';

/** Any actions in any order: every state is sound, and an action changes nothing that it does not name. */
export function checkReducer(numRuns: number): void {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      let state = emptyState('default', null);
      for (const next of actions) {
        const before = state;
        const entries = [...before.nodes];
        state = reduce(before, next);
        expect([...before.nodes]).toEqual(entries);
        expectSoundState(state);
        expectListedPhase(before, state);
        const named = 'id' in next ? next.id : null;
        if (next.type === 'conversation-cleared') continue;
        for (const [id, node] of entries) if (id !== named) expect(state.nodes.get(id)).toBe(node);
      }
    }),
    { numRuns },
  );
}

function expectListedPhase(before: ConversationState, after: ConversationState): void {
  if (before.run === null || after.run === null) return;
  expect(after.run.messageId).toBe(before.run.messageId);
  const from = before.run.phase.kind;
  const to = after.run.phase.kind;
  expect(from === to || canEnter(from, to), `${from} to ${to}`).toBe(true);
}

/** Any steps of people, server and time: one run at most, cells that show the state, nothing lost, nothing left open. */
export async function checkConversation(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(walk, async (steps) => {
      const world = new World();
      await pause();
      for (const { step, pause: pausing } of steps) {
        await world.take(step);
        if (pausing) await pause();
        world.check(pausing);
      }
      await world.close();
    }),
    { numRuns },
  );
}

class World {
  readonly #open;
  readonly #storage = createMemoryStorage();
  readonly #ids = new Set<string>();
  /** What each watcher of a cell saw last. */
  readonly #seen = new Map<Cell<unknown>, unknown>();
  readonly #turns: Promise<unknown>[] = [];
  /** Text handed to the run, by its answer; `null` once a restart made it hard to tell. */
  readonly #written = new Map<string, string | null>();
  /** Answers whose stream said that it is done: what a server sends after that is not read. */
  readonly #done = new Set<string>();
  /** Calls of watchers without a change: somebody would draw for nothing. */
  #needlessCalls = 0;
  #sends = 0;

  constructor() {
    let ids = 0;
    const createId = (): string => {
      const id = `m${++ids}`;
      this.#ids.add(id);
      this.#watch(this.#open.conversation.message(id));
      return id;
    };
    this.#open = openConversation({ storage: this.#storage, createId });
    const { messageIds, phase, runningId, model, storageState } = this.#open.conversation;
    for (const cell of [messageIds, phase, runningId, model, storageState]) this.#watch(cell);
  }

  async take(step: Step): Promise<void> {
    const { conversation, client, clock, frame } = this.#open;
    const id = 'which' in step ? `m${step.which + 1}` : '';
    const run = client.runs.at(-1);
    switch (step.do) {
      case 'send':
        return this.#turn(conversation.send(`question ${++this.#sends}`));
      case 'edit':
        return this.#turn(conversation.edit(id, `question ${++this.#sends}`));
      case 'retry':
        return this.#turn(conversation.retry());
      case 'regenerate':
        return this.#turn(conversation.regenerate(id));
      case 'switchTo':
        return conversation.switchTo(id);
      case 'stop':
        return conversation.stop();
      case 'setModel':
        return conversation.setModel(`model ${++this.#sends}`);
      case 'clear':
        return this.#turn(conversation.clear());
      case 'frame':
        frame();
        return;
      case 'wait':
        return clock.advance(step.ms);
      case 'end':
        return run?.end();
      case 'fail':
        return run?.fail(new ZiggieError('server_busy', 'Busy.'));
      case 'emit': {
        const answer = conversation.runningId.get();
        if (run === undefined || answer === null || !run.open) return;
        run.emit(...step.events);
        this.#note(answer, step.events);
      }
    }
  }

  /** @param settled Whether promises had their turn, so that ended streams are known to be over. */
  check(settled: boolean): void {
    const { conversation, client } = this.#open;
    const state = conversation.getState();
    expectSoundState(state);
    expectCellsToShowState(conversation, this.#ids);
    for (const [cell, seen] of this.#seen) expect(cell.get()).toBe(seen);
    expect(this.#needlessCalls).toBe(0);
    const open = client.runs.filter((run) => run.open);
    expect(open.length).toBeLessThanOrEqual(1);
    if (!settled) return;
    expect(open.length).toBe(state.run === null ? 0 : 1);
    for (const [id, written] of this.#written) {
      const node = state.nodes.get(id);
      if (node?.end !== undefined && written !== null) expect(node.text).toBe(written);
    }
  }

  async close(): Promise<void> {
    const { conversation, client, clock } = this.#open;
    // Disposing reads nothing more, so what was handed out comes in first.
    await pause();
    conversation.dispose();
    await Promise.all(this.#turns);
    await pause();
    this.check(true);
    expect(conversation.getState().run).toBeNull();
    expect(client.runs.every((run) => !run.open)).toBe(true);
    expect(clock.pending).toBe(0);
    const saved = await this.#storage.load('default');
    const { nodes, head } = conversation.getState();
    expect(saved?.nodes ?? []).toEqual([...nodes.values()]);
    expect(saved?.head ?? null).toBe(head);
  }

  #watch(cell: Cell<unknown>): void {
    this.#seen.set(cell, cell.get());
    cell.subscribe(() => {
      if (cell.get() === this.#seen.get(cell)) this.#needlessCalls++;
      this.#seen.set(cell, cell.get());
    });
  }

  /** A turn may be refused (one is in progress, no such message); it never fails in another way. */
  #turn(turn: Promise<void>): void {
    this.#turns.push(
      turn.catch((error: Error) => {
        expect(error.message).toMatch(/in progress|neither failed nor|no (answer|message)|disposed/);
      }),
    );
  }

  #note(answer: string, events: (Step & { do: 'emit' })['events']): void {
    for (const event of events) {
      if (this.#done.has(answer)) return;
      if (event.type === 'done') this.#done.add(answer);
      if (event.type === 'restart') this.#written.set(answer, null);
      if (event.type !== 'text-delta') continue;
      const before = this.#written.has(answer) ? this.#written.get(answer) : '';
      if (typeof before === 'string') this.#written.set(answer, before + event.text);
    }
  }
}

/** One turn of the event loop: every promise that can settle has done so. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
