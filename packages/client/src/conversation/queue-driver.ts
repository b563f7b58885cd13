import type { ConversationAction } from './actions.ts';
import { checkDraft } from './draft.ts';
import { pauseAfter } from './queue.ts';
import type { Store } from './store.ts';
import type { Connection, ConversationQueue, QueuedTurn, TurnEnd } from './types.ts';

interface QueueDriverOptions {
  store: Store;
  connection: Connection;
  /** Applies an action, shows it and saves it; throws once the conversation is disposed. */
  change: (action: ConversationAction) => void;
  isRunning: () => boolean;
  /** Starts a turn that was taken from the queue; settles when it ended. */
  start: (turn: QueuedTurn) => Promise<void>;
  /** Asks the run in progress to stop. */
  stop: () => void;
}

/**
 * Decides when a turn of the queue begins: one after the other, at once when nothing runs, not while the queue is paused
 * or the device offline. Remembers who waits for a turn to be over.
 */
export class QueueDriver {
  /** What callers see and steer. */
  readonly queue: ConversationQueue;
  readonly #options: QueueDriverOptions;
  /** Of the turns in the queue: how to resolve their `send`. */
  readonly #senders = new Map<string, () => void>();
  readonly #unsubscribe: () => void;
  /** The run is being stopped for the turn at the front of the queue. */
  #interrupting = false;
  #closed = false;

  constructor(options: QueueDriverOptions) {
    this.#options = options;
    const { store, connection, change } = options;
    this.queue = {
      items: store.queue,
      paused: store.queuePause,
      edit: (id, input) => {
        const { text, attachments } = checkDraft(input);
        change({ type: 'turn-edited', id, text, attachments });
      },
      move: (id, to) => change({ type: 'turn-moved', id, to }),
      remove: (id) => {
        change({ type: 'turn-unqueued', id });
        this.#sent(id);
      },
      pause: () => change({ type: 'queue-paused', reason: 'held' }),
      resume: () => {
        change({ type: 'queue-resumed' });
        this.next();
      },
    };
    this.#unsubscribe = connection.subscribe(() => {
      if (connection.isOnline() && store.live().queuePause === 'offline') this.queue.resume();
    });
  }

  /** Whether a new turn has to wait, whatever is in the queue. */
  isHeld(): boolean {
    const { store, connection, isRunning } = this.#options;
    return isRunning() || store.live().queuePause === 'offline' || !connection.isOnline();
  }

  /** @returns Settles when the turn ended or left the queue. */
  add(turn: QueuedTurn, interrupts: boolean): Promise<void> {
    const { store, connection, change, isRunning, stop } = this.#options;
    const sent = new Promise<void>((resolve) => this.#senders.set(turn.id, resolve));
    if (!isRunning() && !connection.isOnline()) store.dispatch({ type: 'queue-paused', reason: 'offline' });
    change({ type: 'turn-queued', turn, first: interrupts });
    if (interrupts && isRunning()) {
      this.#interrupting = true;
      stop();
    }
    return sent;
  }

  /** Takes the next turn from the queue, when there is one and nothing holds it back. */
  next(): void {
    const { store, connection, change, isRunning, start } = this.#options;
    const { queue, queuePause } = store.live();
    const turn = queue[0];
    if (turn === undefined || queuePause !== null || isRunning() || this.#closed) return;
    if (!connection.isOnline()) {
      change({ type: 'queue-paused', reason: 'offline' });
      return;
    }
    store.dispatch({ type: 'turn-unqueued', id: turn.id });
    void start(turn).finally(() => this.#sent(turn.id));
  }

  /** Pauses the queue where the end of a turn asks for it; `next` goes on otherwise. */
  ended(end: TurnEnd): void {
    const { store, connection } = this.#options;
    const state = store.live();
    const pause = this.#interrupting ? state.queuePause : pauseAfter(state, end, connection.isOnline());
    this.#interrupting = false;
    if (pause !== null) store.dispatch({ type: 'queue-paused', reason: pause });
  }

  /** Nobody waits any more for what is in the queue. */
  letGo(): void {
    for (const id of [...this.#senders.keys()]) this.#sent(id);
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    this.letGo();
  }

  #sent(id: string): void {
    const resolve = this.#senders.get(id);
    this.#senders.delete(id);
    resolve?.();
  }
}
