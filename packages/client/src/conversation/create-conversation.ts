import { systemClock } from '../clock.ts';
import type { Clock } from '../types.ts';
import type { ConversationAction } from './actions.ts';
import { callOutside } from './call-outside.ts';
import { platformConnection } from './connection.ts';
import { type CheckedDraft, checkDraft } from './draft.ts';
import { nextFrame, randomId } from './environment.ts';
import { mergeRecords } from './merge.ts';
import { pauseAfter } from './queue.ts';
import { parseRecord, toRecord } from './record.ts';
import { emptyState } from './reduce.ts';
import { beginRun, type Run } from './run.ts';
import { runTurn, type TurnOutcome } from './run-turn.ts';
import { Saver } from './saver.ts';
import { createMemoryStorage } from './storage/memory.ts';
import { Store } from './store.ts';
import { childrenOf, siblingsOf, subtreeOf } from './tree.ts';
import type {
  Cell,
  Connection,
  ContextReport,
  Conversation,
  ConversationOptions,
  ConversationQueue,
  ConversationRecord,
  ConversationState,
  ConversationStorage,
  Draft,
  Feedback,
  MessageNode,
  QueuedTurn,
  RunPhase,
  SendOptions,
  Source,
  StorageChange,
} from './types.ts';
import { ValueCell } from './value-cell.ts';

/**
 * Opens a conversation: reads what was saved under its id, then keeps messages, run and record in step.
 *
 * `send`, `retry`, `regenerate` and `edit` wait until the saved record was read. What the stream brings is published once
 * per frame; what a caller does, and the end of a turn, at once. The record is saved when a turn begins and ends, after
 * other changes, and every second while an answer is written. Two conversations open under one id at the same time, in
 * two tabs for instance, share their messages as far as the storage merges (those of this package do) and tell each other
 * as far as it can be watched.
 *
 * @throws {TypeError} when `id` is an empty string.
 */
export function createConversation(options: ConversationOptions): Conversation {
  return new ChatConversation(options);
}

class ChatConversation implements Conversation {
  readonly id: string;
  readonly messageIds: Cell<readonly string[]>;
  readonly phase: Cell<RunPhase | null>;
  readonly runningId: Cell<string | null>;
  readonly model: Cell<string | null>;
  readonly title: Cell<string | null>;
  readonly queue: ConversationQueue;
  readonly contextReport = new ValueCell<ContextReport | null>(null);
  readonly storageState = new ValueCell<'loading' | 'ready' | 'failed'>('loading');
  readonly #options: ConversationOptions;
  readonly #storage: ConversationStorage;
  readonly #store: Store;
  readonly #saver: Saver;
  readonly #wallNow: () => number;
  readonly #clock: Clock;
  /** The reading of the saved record; `null` once it is over or its outcome is not wanted any more. */
  #loading: Promise<void> | null;
  /** Not before the saved record was read, and never over one that could not be read. */
  #maySave = false;
  /** A turn that adds nothing new waits for the saved record to be read. */
  #starting = false;
  #run: Run | null = null;
  /** The run is being stopped for the turn at the front of the queue. */
  #interrupting = false;
  /** Of the turns in the queue: how to resolve their `send`. */
  readonly #senders = new Map<string, () => void>();
  /** Of the record that was saved last, to know it again when the storage tells of it. */
  #savedAt = 0;
  /** Counts what was forgotten: a record read or saved before that must not bring it back. */
  #life = 0;
  #savedLife = 0;
  /** Removals of our own under way: until then the storage tells of what is no more wanted. */
  #clearing = 0;
  #changedMeanwhile = false;
  readonly #connection: Connection;
  readonly #unsubscribe: (() => void)[] = [];
  #disposed = false;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.id = options.id ?? 'default';
    if (this.id === '') throw new TypeError('Opening a conversation: the id is empty.');
    this.#wallNow = options.wallNow ?? Date.now;
    this.#clock = options.clock ?? systemClock;
    this.#storage = options.storage ?? createMemoryStorage();
    this.#store = new Store(emptyState(this.id, options.model ?? null), options.schedule ?? nextFrame);
    this.messageIds = this.#store.messageIds;
    this.phase = this.#store.phase;
    this.runningId = this.#store.runningId;
    this.model = this.#store.model;
    this.title = this.#store.title;
    this.queue = this.#makeQueue();
    this.#connection = options.connection ?? platformConnection;
    this.#saver = new Saver({
      id: this.id,
      storage: this.#storage,
      clock: this.#clock,
      snapshot: () => {
        this.#savedAt = this.#wallNow();
        this.#savedLife = this.#life;
        return toRecord(this.#store.live(), this.#savedAt, this.#run?.now());
      },
      onSaved: (error, kept) => {
        if (kept !== undefined) this.#adopt(kept, this.#savedLife);
        this.#noteStorage(error);
      },
    });
    this.#loading = this.#load();
    this.#unsubscribe.push(this.#connection.subscribe(() => this.#onConnection()));
    const watched = this.#storage.watch?.((change) => this.#onStorage(change));
    if (watched !== undefined) this.#unsubscribe.push(watched);
  }

  readonly message = (id: string): Cell<MessageNode | undefined> => this.#store.message(id);

  readonly getState = (): ConversationState => this.#store.shown();

  readonly siblings = (messageId: string): readonly string[] =>
    siblingsOf(this.#store.shown().nodes, messageId);

  readonly send = async (input: string | Draft, options: SendOptions = {}): Promise<void> => {
    const draft = checkDraft(input);
    this.#checkOpen();
    const { whenBusy = 'queue' } = options;
    if (whenBusy === 'reject') this.#checkIdle();
    if (this.#loading !== null) {
      await this.#loading;
      this.#checkOpen();
    }
    const model = options.model ?? this.#modelNow();
    const { queue, queuePause } = this.#store.live();
    if (this.#run !== null || queuePause === 'offline' || !this.#connection.isOnline()) {
      if (whenBusy === 'reject') this.#checkIdle();
      return this.#enqueue(draft, model, whenBusy === 'interrupt');
    }
    if (queue.length > 0 && queuePause === null) return this.#enqueue(draft, model, false);
    if (queuePause === 'stopped' || queuePause === 'failed') this.#store.dispatch({ type: 'queue-resumed' });
    await this.#answer(model, this.#ask(this.#store.live().head, draft));
  };

  readonly edit = async (messageId: string, input: string | Draft): Promise<void> => {
    const draft = checkDraft(input);
    await this.#turn(() => {
      const node = this.#store.live().nodes.get(messageId);
      if (node?.role !== 'user') {
        throw new TypeError('Editing a message: there is no message of the user with this id.');
      }
      const { attachments = node.attachments } = draft;
      return this.#ask(node.parentId, { text: draft.text, attachments });
    });
  };

  readonly retry = async (): Promise<void> => {
    await this.#turn(() => {
      const { nodes, head } = this.#store.live();
      const last = head === null ? undefined : nodes.get(head);
      if (last?.role === 'user') return last.id;
      const ended = last?.end?.kind;
      if (last?.role !== 'assistant' || (ended !== 'failed' && ended !== 'stopped')) {
        throw new Error('Retrying a turn: the last answer neither failed nor was stopped. Use regenerate().');
      }
      return this.#makeRoom(last);
    });
  };

  readonly regenerate = async (
    messageId?: string,
    options: { model?: string | undefined } = {},
  ): Promise<void> => {
    await this.#turn(() => {
      const { nodes, head } = this.#store.live();
      const node = nodes.get(messageId ?? head ?? '');
      if (node?.role !== 'assistant') throw new TypeError('Regenerating: there is no answer with this id.');
      return this.#makeRoom(node);
    }, options.model);
  };

  readonly continue = async (messageId?: string): Promise<void> => {
    await this.#whenIdle(async () => {
      const { nodes, head } = this.#store.live();
      const node = nodes.get(messageId ?? head ?? '');
      if (node?.role !== 'assistant' || node.parentId === null) {
        throw new TypeError('Continuing: there is no answer with this id.');
      }
      if (childrenOf(nodes, node.id).length > 0) {
        throw new Error('Continuing: the conversation has gone on after this answer.');
      }
      if (node.text === '' || (node.end?.kind === 'complete' && node.end.finishReason !== 'length')) {
        throw new Error('Continuing: this answer ended by itself, or holds no text. Use regenerate().');
      }
      await this.#answer(node.model ?? this.#modelNow(), node.parentId, node.id);
    });
  };

  readonly stop = (): void => {
    const run = this.#run;
    if (run === null) return;
    this.#store.dispatch({ type: 'stop-asked', id: run.messageId });
    this.#store.publish();
    run.abort.abort();
  };

  readonly remove = (messageId: string): (() => void) => {
    const run = this.#run;
    const ids = new Set(subtreeOf(this.#store.live().nodes, messageId).map(({ id }) => id));
    if (run !== null && ids.has(run.messageId)) {
      this.#end(run, { end: { kind: 'stopped' } });
      run.abort.abort();
    }
    const { nodes, head } = this.#store.live();
    const gone = subtreeOf(nodes, messageId);
    this.#change({ type: 'message-removed', id: messageId, at: this.#wallNow() });
    return () => {
      if (gone.length === 0 || this.#disposed) return;
      this.#change({ type: 'messages-restored', nodes: gone.splice(0), head, at: this.#wallNow() });
    };
  };

  readonly setFeedback = (id: string, given: Omit<Feedback, 'at'> | null): void => {
    const at = this.#wallNow();
    this.#change({ type: 'feedback-given', id, feedback: given && { ...given, at }, at });
  };

  readonly addSources = (id: string, sources: readonly Source[]): void => {
    this.#change({ type: 'sources-added', id, sources, at: this.#wallNow() });
  };

  readonly rename = (title: string): void => {
    if (title.trim() === '') throw new TypeError('Renaming a conversation: the title is empty.');
    this.#change({ type: 'title-set', title: title.trim(), at: this.#wallNow() });
  };

  readonly switchTo = (messageId: string): void => {
    this.#change({ type: 'head-moved', id: messageId });
  };

  readonly setModel = (model: string): void => {
    if (model === '') throw new TypeError('Choosing a model: its name is empty.');
    this.#change({ type: 'model-set', model, at: this.#wallNow() });
  };

  readonly clear = async (): Promise<void> => {
    this.#checkOpen();
    this.#loading = null;
    const run = this.#run;
    this.#run = null;
    run?.abort.abort();
    this.#forget();
    this.#clearing++;
    try {
      await this.#saver.remove();
    } catch (error) {
      this.#noteStorage(error);
      throw error;
    } finally {
      this.#clearing--;
    }
    this.#maySave = true;
    this.#noteStorage(undefined);
    if (this.#changedMeanwhile && this.#clearing === 0) {
      this.#changedMeanwhile = false;
      // Another tab may have saved after the removal: that is not ours to lose.
      await this.#reload();
    }
    // A turn may have begun while the old record was being removed.
    if (this.#store.live().nodes.size > 0) this.#save();
  };

  readonly dispose = (): void => {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#loading = null;
    const run = this.#run;
    if (run !== null) {
      this.#end(run, { end: { kind: 'stopped' } });
      run.abort.abort();
    }
    for (const leave of this.#unsubscribe.splice(0)) leave();
    this.#maySave = false;
    this.#store.release();
    this.storageState.release();
    this.contextReport.release();
    for (const id of [...this.#senders.keys()]) this.#sent(id);
  };

  async #load(): Promise<void> {
    const initialModel = this.#store.live().model;
    let record: ConversationRecord | null = null;
    let failure: unknown;
    try {
      const saved: unknown = await this.#storage.load(this.id);
      record = saved === null ? null : parseRecord(saved, this.id);
    } catch (error) {
      failure = error ?? new Error('The storage rejected without a reason.');
    }
    if (this.#loading === null) return;
    this.#loading = null;
    this.#maySave = failure === undefined;
    if (record !== null) {
      const { model } = this.#store.live();
      this.#store.dispatch({ type: 'conversation-loaded', record });
      // Chosen while the record was read: newer than what it says.
      if (model !== null && model !== initialModel) this.setModel(model);
    }
    this.#store.publish();
    this.#noteStorage(failure);
  }

  /** Runs a turn: `prepare` puts the tree in order and names the message to answer. */
  async #turn(prepare: () => string, model?: string | undefined): Promise<void> {
    await this.#whenIdle(async () => {
      const chosen = model ?? this.#modelNow();
      await this.#answer(chosen, prepare());
    });
  }

  /**
   * Nothing is awaited between the check that no run is in progress and the start of `work`, so two calls in one task
   * cannot both pass it.
   */
  async #whenIdle(work: () => Promise<void>): Promise<void> {
    this.#checkOpen();
    this.#checkIdle();
    if (this.#loading !== null) {
      this.#starting = true;
      try {
        await this.#loading;
      } finally {
        this.#starting = false;
      }
      this.#checkOpen();
      this.#checkIdle();
    }
    await work();
  }

  #checkIdle(): void {
    if (this.#starting || this.#run !== null) {
      throw new Error('Starting a turn: another is in progress. Stop it or wait for its end.');
    }
  }

  #checkOpen(): void {
    if (this.#disposed)
      throw new Error('This conversation is disposed. Create another one with the same id.');
  }

  #ask(parentId: string | null, { text, attachments }: CheckedDraft, id = this.#newId()): string {
    this.#store.dispatch({ type: 'message-added', id, parentId, text, attachments, at: this.#wallNow() });
    return id;
  }

  #enqueue({ text, attachments }: CheckedDraft, model: string, interrupts: boolean): Promise<void> {
    const id = this.#newId();
    const queuedAt = this.#wallNow();
    const turn: QueuedTurn = { id, text, model, queuedAt, ...(attachments && { attachments }) };
    const sent = new Promise<void>((resolve) => this.#senders.set(id, resolve));
    if (this.#run === null && !this.#connection.isOnline()) {
      this.#store.dispatch({ type: 'queue-paused', reason: 'offline' });
    }
    this.#change({ type: 'turn-queued', turn, first: interrupts });
    if (interrupts && this.#run !== null) {
      this.#interrupting = true;
      this.stop();
    }
    return sent;
  }

  /** Takes the next turn from the queue, when there is one and nothing holds it back. */
  #next(): void {
    const { queue, queuePause, head } = this.#store.live();
    const turn = queue[0];
    if (turn === undefined || queuePause !== null || this.#run !== null || this.#disposed) return;
    if (!this.#connection.isOnline()) {
      this.#change({ type: 'queue-paused', reason: 'offline' });
      return;
    }
    this.#store.dispatch({ type: 'turn-unqueued', id: turn.id });
    this.#ask(head, turn, turn.id);
    void this.#answer(turn.model, turn.id).finally(() => this.#sent(turn.id));
  }

  #sent(id: string): void {
    const resolve = this.#senders.get(id);
    this.#senders.delete(id);
    resolve?.();
  }

  #makeQueue(): ConversationQueue {
    return {
      items: this.#store.queue,
      paused: this.#store.queuePause,
      edit: (id, input) => {
        const { text, attachments } = checkDraft(input);
        this.#change({ type: 'turn-edited', id, text, attachments });
      },
      move: (id, to) => this.#change({ type: 'turn-moved', id, to }),
      remove: (id) => {
        this.#change({ type: 'turn-unqueued', id });
        this.#sent(id);
      },
      pause: () => this.#change({ type: 'queue-paused', reason: 'held' }),
      resume: () => {
        this.#change({ type: 'queue-resumed' });
        this.#next();
      },
    };
  }

  #onConnection(): void {
    if (!this.#connection.isOnline() || this.#store.live().queuePause !== 'offline') return;
    this.queue.resume();
  }

  #onStorage(change: StorageChange): void {
    if (change.id !== this.id || this.#disposed || this.#loading !== null) return;
    if (this.#clearing > 0) {
      this.#changedMeanwhile = true;
      return;
    }
    if (change.kind === 'removed') {
      if (this.#store.live().nodes.size > 0) this.#forget();
    } else if (change.updatedAt !== this.#savedAt || change.detailsAt !== this.#store.live().detailsAt) {
      void this.#reload();
    }
  }

  /** What another tab saved. A record that cannot be read now is met again at the next save. */
  async #reload(): Promise<void> {
    const life = this.#life;
    try {
      const saved = await this.#storage.load(this.id);
      if (saved !== null) this.#adopt(parseRecord(saved, this.id), life);
    } catch (error) {
      this.#noteStorage(error);
    }
  }

  #adopt(record: ConversationRecord, life: number): void {
    if (this.#disposed || life !== this.#life) return;
    // Theirs counts as the newer one, so that a branch that went on elsewhere is followed.
    const ours = toRecord(this.#store.live(), record.updatedAt - 1);
    if (!this.#store.dispatch({ type: 'record-merged', record: mergeRecords(ours, record) })) return;
    this.#store.publish();
  }

  /** Ends the run and empties the state. */
  #forget(): void {
    this.#life++;
    const run = this.#run;
    this.#run = null;
    run?.abort.abort();
    this.#store.dispatch({ type: 'conversation-cleared' });
    this.#store.publish();
    this.contextReport.set(null);
    for (const id of [...this.#senders.keys()]) this.#sent(id);
  }

  /** Something that a caller did: shown at once, and saved when it changed anything. */
  #change(action: ConversationAction): void {
    this.#checkOpen();
    if (!this.#store.dispatch(action)) return;
    this.#store.publish();
    this.#save();
  }

  /** For another answer beside this one, which stays reachable unless it holds nothing. Returns the question's id. */
  #makeRoom(answer: MessageNode): string {
    if (answer.parentId === null) {
      throw new TypeError('Answering again: there is no question before this answer.');
    }
    if (isEmpty(answer)) {
      this.#store.dispatch({ type: 'answer-dropped', id: answer.id, at: this.#wallNow() });
    }
    return answer.parentId;
  }

  /** @param continued The answer to add to; a new one otherwise. */
  async #answer(model: string, parentId: string, continued?: string | undefined): Promise<void> {
    const run = beginRun(continued ?? this.#newId(), this.#wallNow(), this.#clock);
    const { messageId: id, startedAt: at } = run;
    this.#run = run;
    this.#store.dispatch(
      continued === undefined
        ? { type: 'answer-started', id, parentId, model, at }
        : { type: 'answer-continued', id, at },
    );
    this.#store.publish();
    this.#save();
    const outcome = await runTurn({
      run,
      model,
      parentId,
      options: this.#options,
      store: this.#store,
      isCurrent: () => this.#run === run,
      onWritten: () => {
        if (this.#maySave) this.#saver.soon();
      },
      onReport: (report) => this.contextReport.set(report),
    });
    if (outcome !== null) this.#end(run, outcome);
  }

  #end(run: Run, { end, timings }: TurnOutcome): void {
    if (this.#run !== run) return;
    this.#run = null;
    this.#store.dispatch({ type: 'answer-ended', id: run.messageId, end, timings, at: run.now() });
    const state = this.#store.live();
    const pause = this.#interrupting ? state.queuePause : pauseAfter(state, end, this.#connection.isOnline());
    this.#interrupting = false;
    if (pause !== null) this.#store.dispatch({ type: 'queue-paused', reason: pause });
    this.#store.publish();
    this.#save();
    this.#next();
  }

  #save(): void {
    if (this.#maySave) this.#saver.now();
  }

  #noteStorage(error: unknown): void {
    this.storageState.set(error === undefined ? 'ready' : 'failed');
    if (error !== undefined) callOutside(() => this.#options.onStorageError?.(error));
  }

  #modelNow(): string {
    const { model } = this.#store.live();
    if (model === null)
      throw new TypeError('Starting a turn: no model is chosen. Pass `model` or call setModel().');
    return model;
  }

  #newId(): string {
    const id = (this.#options.createId ?? randomId)();
    if (id === '' || this.#store.live().nodes.has(id)) {
      throw new Error('Naming a message: createId() returned an id that is empty or in use.');
    }
    return id;
  }
}

function isEmpty(answer: MessageNode): boolean {
  return answer.text === '' && answer.thinking === '' && answer.toolCalls.length === 0;
}
