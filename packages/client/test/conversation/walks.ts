import fc from 'fast-check';
import { expect } from 'vitest';
import type { ConversationAction, RunAction } from '../../src/conversation/actions.ts';
import { canEnter } from '../../src/conversation/phases.ts';
import { emptyState, reduce } from '../../src/conversation/reduce.ts';
import { reduceRun } from '../../src/conversation/reduce-run.ts';
import { createMemoryStorage } from '../../src/conversation/storage/memory.ts';
import { subtreeOf } from '../../src/conversation/tree.ts';
import type {
  Cell,
  Connection,
  ConversationState,
  MessageNode,
  TurnTools,
} from '../../src/conversation/types.ts';
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
        // Each knows its own actions and leaves the others'.
        state = reduceRun(reduce(before, next as ConversationAction), next as RunAction);
        expect([...before.nodes]).toEqual(entries);
        expectSoundState(state);
        expectListedPhase(before, state);
        const named = 'id' in next ? next.id : null;
        if (next.type === 'conversation-cleared') continue;
        const below = next.type === 'message-removed' ? subtreeOf(before.nodes, next.id) : [];
        const gone = new Set(below.map((node) => node.id));
        for (const [id, node] of entries) {
          if (id !== named && !gone.has(id)) expect(state.nodes.get(id)).toBe(node);
        }
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
  readonly #network = { online: true, listeners: new Set<() => void>() };
  readonly #undos: (() => void)[] = [];
  /** Rounds of tools that wait for an outcome. */
  readonly #toolRounds: (() => void)[] = [];
  /** Answers whose stream said that it is done: what a server sends after that is not read. */
  readonly #done = new Set<string>();
  /** Calls of watchers without a change: somebody would draw for nothing. */
  #needlessCalls = 0;
  #sends = 0;
  #elsewhere = false;

  constructor() {
    let ids = 0;
    const createId = (): string => {
      const id = `m${++ids}`;
      this.#ids.add(id);
      this.#watch(this.#open.conversation.message(id));
      return id;
    };
    const network = this.#network;
    const connection: Connection = {
      isOnline: () => network.online,
      subscribe(listener) {
        network.listeners.add(listener);
        return () => network.listeners.delete(listener);
      },
    };
    const tools: TurnTools = {
      definitions: [],
      maxRounds: 3,
      run: (calls) =>
        new Promise((resolve) => {
          this.#toolRounds.push(() => resolve(calls.map(({ id }) => ({ callId: id, content: 'r' }))));
        }),
    };
    this.#open = openConversation({ storage: this.#storage, createId, connection, tools });
    const { messageIds, phase, runningId, model, storageState, title, queue } = this.#open.conversation;
    const cells = [messageIds, phase, runningId, model, storageState, title, queue.items, queue.paused];
    for (const cell of cells) this.#watch(cell);
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
      case 'interrupt':
        return this.#turn(conversation.send(`question ${++this.#sends}`, { whenBusy: 'interrupt' }));
      case 'continue':
        this.#written.set(id, null);
        return this.#turn(conversation.continue(id));
      case 'remove': {
        // What was handed out and not yet read is not kept when the answer is removed.
        const running = conversation.runningId.get();
        if (running !== null) this.#written.set(running, null);
        this.#undos.push(conversation.remove(id));
        return;
      }
      case 'undo':
        this.#undos.pop()?.();
        return;
      case 'feedback':
        return conversation.setFeedback(id, { rating: 'up' });
      case 'pause':
        return conversation.queue.pause();
      case 'resume':
        return conversation.queue.resume();
      case 'online':
      case 'offline':
        this.#network.online = step.do === 'online';
        for (const listener of this.#network.listeners) listener();
        return;
      case 'editQueued':
      case 'removeQueued':
      case 'moveQueued': {
        const turn = conversation.queue.items.get()[step.which]?.id ?? 'nobody';
        if (step.do === 'removeQueued') conversation.queue.remove(turn);
        else if (step.do === 'moveQueued') conversation.queue.move(turn, step.to);
        else conversation.queue.edit(turn, `question ${++this.#sends}`);
        return;
      }
      case 'toolsDone':
        this.#toolRounds.shift()?.();
        return;
      case 'elsewhere':
        return this.#saveElsewhere();
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
    // Nothing waits while it could go.
    if (state.run === null && state.queuePause === null) expect(state.queue).toEqual([]);
    for (const { id } of state.queue) expect(state.nodes.has(id)).toBe(false);
    if (!settled) return;
    // While tools run there is no stream.
    if (this.#toolRounds.length > 0) expect(open.length).toBeLessThanOrEqual(1);
    else expect(open.length).toBe(state.run === null ? 0 : 1);
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
    // What another tab brought back of an answer that was being written is open in the record, and opens as stopped.
    const closed = (node: MessageNode): MessageNode =>
      node.role === 'assistant' ? { end: { kind: 'stopped' }, ...node } : node;
    const byId = (all: Iterable<MessageNode>) => new Map([...all].map((node) => [node.id, closed(node)]));
    expect(byId(saved?.nodes ?? [])).toEqual(byId(nodes.values()));
    // Which branch is shown is everybody's own affair.
    if (!this.#elsewhere) expect(saved?.head ?? null).toBe(head);
  }

  /** Another tab that had opened the same record adds a question of its own below the shown branch. */
  async #saveElsewhere(): Promise<void> {
    this.#elsewhere = true;
    const record = await this.#storage.load('default');
    if (record === null) return;
    const id = `e${++this.#sends}`;
    const at = record.updatedAt + 1;
    const node = { role: 'user', text: id, thinking: '', toolCalls: [], createdAt: at } as const;
    await this.#storage.save({
      ...record,
      nodes: [...record.nodes, { ...node, id, parentId: record.head }],
      head: id,
      updatedAt: at,
    });
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
        expect(error.message).toMatch(
          /in progress|neither failed nor|no (answer|message|question)|disposed|by itself|gone on/,
        );
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
