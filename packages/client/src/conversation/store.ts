import type { ConversationAction } from './actions.ts';
import { reduce } from './reduce.ts';
import { pathTo } from './tree.ts';
import type { ConversationState, MessageNode, QueuedTurn, QueuePause, RunPhase } from './types.ts';
import { ValueCell } from './value-cell.ts';

/** The state after something; the same object when it changes nothing. */
type Step = (state: ConversationState) => ConversationState;

/**
 * Holds the state twice: as it is (`live`) and as it was last published (`shown`), which is what the cells give. Views
 * therefore see one consistent state per frame, however many events arrive in between.
 */
export class Store {
  readonly messageIds = new ValueCell<readonly string[]>([]);
  readonly phase = new ValueCell<RunPhase | null>(null);
  readonly runningId = new ValueCell<string | null>(null);
  readonly model: ValueCell<string | null>;
  readonly title = new ValueCell<string | null>(null);
  readonly queue: ValueCell<readonly QueuedTurn[]>;
  readonly queuePause = new ValueCell<QueuePause | null>(null);
  readonly #messages = new Map<string, ValueCell<MessageNode | undefined>>();
  readonly #schedule: (publish: () => void) => void;
  #live: ConversationState;
  #pending: Step | null = null;
  #shown: ConversationState;
  #scheduled = false;
  #released = false;

  constructor(state: ConversationState, schedule: (publish: () => void) => void) {
    this.#live = state;
    this.#shown = state;
    this.#schedule = schedule;
    this.model = new ValueCell(state.model);
    this.queue = new ValueCell(state.queue);
  }

  /** The state as it is, what waits for a look included. */
  live(): ConversationState {
    const step = this.#pending;
    this.#pending = null;
    if (step !== null) this.#live = step(this.#live);
    return this.#live;
  }

  /** The state as the cells show it. */
  shown(): ConversationState {
    return this.#shown;
  }

  message(id: string): ValueCell<MessageNode | undefined> {
    let cell = this.#messages.get(id);
    if (cell === undefined) {
      cell = new ValueCell(this.#shown.nodes.get(id));
      this.#messages.set(id, cell);
    }
    return cell;
  }

  /** Takes a step when somebody looks, at the latest with the next frame: for what comes in many small pieces. */
  stepSoon(step: Step): void {
    this.#pending = step;
    this.#publishSoon();
  }

  /** Applies an action; the cells follow with the next frame. Returns whether it changed anything. */
  dispatch(action: ConversationAction): boolean {
    return this.step((state) => reduce(state, action));
  }

  /** The same with a change whose code a page does not start with. */
  step(step: Step): boolean {
    const before = this.live();
    this.#live = step(before);
    if (this.#live !== this.#shown) this.#publishSoon();
    return this.#live !== before;
  }

  /** Brings the cells up to date now. */
  publish(): void {
    const before = this.#shown;
    const now = this.live();
    if (now === before || this.#released) return;
    this.#shown = now;
    const changed: ValueCell<never>[] = [];
    const put = <T>(cell: ValueCell<T>, value: T): void => {
      if (cell.put(value)) changed.push(cell as unknown as ValueCell<never>);
    };
    // Parents never change, so the same head is the same branch, unless one of its messages went away or came back.
    if (now.head !== before.head || now.removed !== before.removed) {
      const path = pathTo(now.nodes, now.head);
      const shown = this.messageIds.get();
      if (path.length !== shown.length || path.at(-1) !== shown.at(-1)) put(this.messageIds, path);
    }
    if (now.nodes !== before.nodes) {
      for (const [id, cell] of this.#messages) put(cell, now.nodes.get(id));
    }
    put(this.phase, now.run?.phase ?? null);
    put(this.runningId, now.run?.messageId ?? null);
    put(this.model, now.model);
    put(this.title, now.title);
    put(this.queue, now.queue);
    put(this.queuePause, now.queuePause);
    // All values are in before the first watcher looks: a watcher that reads another cell sees the same state.
    for (const cell of changed) cell.notify();
  }

  /** Publishes a last time and lets go of every watcher. */
  release(): void {
    this.publish();
    this.#released = true;
    const { messageIds, phase, runningId, model, title, queue, queuePause } = this;
    const cells = [messageIds, phase, runningId, model, title, queue, queuePause, ...this.#messages.values()];
    for (const cell of cells) cell.release();
  }

  #publishSoon(): void {
    if (this.#scheduled || this.#released) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      this.publish();
    });
  }
}
