import { systemClock } from '../clock.ts';
import type { Clock } from '../types.ts';
import type { ConversationAction } from './actions.ts';
import { platformConnection } from './connection.ts';
import { type CheckedDraft, checkDraft } from './draft.ts';
import { frames, randomId } from './environment.ts';
import { prefetchLater } from './fetch-later.ts';
import { QueueDriver } from './queue-driver.ts';
import { RecordKeeper } from './record-keeper.ts';
import { emptyState } from './reduce.ts';
import { beginRun, type Run } from './run.ts';
import type { TurnOutcome } from './run-turn.ts';
import { runTurnLate } from './run-turn-late.ts';
import { createMemoryStorage } from './storage/memory.ts';
import { Store } from './store.ts';
import { siblingsOf, subtreeOf } from './tree.ts';
import type {
  Cell,
  ContextReport,
  Conversation,
  ConversationOptions,
  ConversationQueue,
  ConversationState,
  Draft,
  Feedback,
  MessageNode,
  RunPhase,
  SendOptions,
  Source,
} from './types.ts';
import { ValueCell } from './value-cell.ts';
import { answerToContinue, answerToRegenerate, messageToEdit, messageToRetry } from './which-answer.ts';

/**
 * Opens a conversation: reads what was saved under its id, then keeps messages, run and record in step.
 *
 * `send`, `retry`, `regenerate` and `edit` wait until the saved record was read. What the stream brings is published once
 * per frame, 22 ms after it; what a caller does, and the end of a turn, at once. The record is saved when a turn begins and
 * ends, after other changes, and every second while an answer is written. Two conversations open under one id at the same
 * time, in two tabs for instance, share their messages as far as the storage merges (those of this package do) and tell each
 * other as far as it can be watched.
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
  readonly storageState: Cell<'loading' | 'ready' | 'failed'>;
  readonly #options: ConversationOptions;
  readonly #store: Store;
  readonly #keeper: RecordKeeper;
  readonly #driver: QueueDriver;
  readonly #wallNow: () => number;
  readonly #clock: Clock;
  /** A turn that adds nothing new waits for the saved record to be read. */
  #starting = false;
  #run: Run | null = null;
  #disposed = false;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.id = options.id ?? 'default';
    if (this.id === '') throw new TypeError('Opening a conversation: the id is empty.');
    this.#wallNow = options.wallNow ?? Date.now;
    this.#clock = options.clock ?? systemClock;
    this.#store = new Store(emptyState(this.id, options.model ?? null), options.schedule ?? frames());
    this.messageIds = this.#store.messageIds;
    this.phase = this.#store.phase;
    this.runningId = this.#store.runningId;
    this.model = this.#store.model;
    this.title = this.#store.title;
    this.#keeper = new RecordKeeper({
      id: this.id,
      storage: options.storage ?? createMemoryStorage(),
      store: this.#store,
      clock: this.#clock,
      wallNow: this.#wallNow,
      runNow: () => this.#run?.now(),
      onRemoved: () => this.#forget(),
      onError: options.onStorageError,
    });
    this.storageState = this.#keeper.state;
    this.#driver = new QueueDriver({
      store: this.#store,
      connection: options.connection ?? platformConnection,
      change: (action) => this.#change(action),
      isRunning: () => this.#run !== null,
      start: (turn) => this.#answer(turn.model, this.#ask(this.#store.live().head, turn, turn.id)),
      stop: this.stop,
    });
    this.queue = this.#driver.queue;
    // Fetched while the reader types; the first turn fetches again what could not be.
    prefetchLater();
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
    if (this.#keeper.loading !== null) {
      await this.#keeper.loading;
      this.#checkOpen();
    }
    const model = options.model ?? this.#modelNow();
    const { queue, queuePause } = this.#store.live();
    if (this.#driver.isHeld()) {
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
      const node = messageToEdit(this.#store.live(), messageId);
      const { attachments = node.attachments } = draft;
      return this.#ask(node.parentId, { text: draft.text, attachments });
    });
  };

  readonly retry = async (): Promise<void> => {
    await this.#turn(() => {
      const last = messageToRetry(this.#store.live());
      return last.role === 'user' ? last.id : this.#makeRoom(last);
    });
  };

  readonly regenerate = async (
    messageId?: string,
    options: { model?: string | undefined } = {},
  ): Promise<void> => {
    await this.#turn(() => this.#makeRoom(answerToRegenerate(this.#store.live(), messageId)), options.model);
  };

  readonly continue = async (messageId?: string): Promise<void> => {
    await this.#whenIdle(async () => {
      const node = answerToContinue(this.#store.live(), messageId);
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
    this.#forget();
    await this.#keeper.remove();
  };

  readonly dispose = (): void => {
    if (this.#disposed) return;
    this.#disposed = true;
    const run = this.#run;
    if (run !== null) {
      this.#end(run, { end: { kind: 'stopped' } });
      run.abort.abort();
    }
    this.#keeper.close();
    this.#store.release();
    this.contextReport.release();
    this.#driver.close();
  };

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
    if (this.#keeper.loading !== null) {
      this.#starting = true;
      try {
        await this.#keeper.loading;
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
    const turn = {
      id: this.#newId(),
      text,
      model,
      queuedAt: this.#wallNow(),
      ...(attachments && { attachments }),
    };
    return this.#driver.add(turn, interrupts);
  }

  /** Ends the run and empties the state. */
  #forget(): void {
    this.#keeper.forget();
    const run = this.#run;
    this.#run = null;
    run?.abort.abort();
    this.#store.dispatch({ type: 'conversation-cleared' });
    this.#store.publish();
    this.contextReport.set(null);
    this.#driver.letGo();
  }

  /** Something that a caller did: shown at once, and saved when it changed anything. */
  #change(action: ConversationAction): void {
    this.#checkOpen();
    if (!this.#store.dispatch(action)) return;
    this.#store.publish();
    this.#keeper.save();
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
    this.#keeper.save();
    const outcome = await runTurnLate({
      run,
      model,
      parentId,
      options: this.#options,
      store: this.#store,
      isCurrent: () => this.#run === run,
      onWritten: () => this.#keeper.saveSoon(),
      onReport: (report) => this.contextReport.set(report),
    });
    if (outcome !== null) this.#end(run, outcome);
  }

  #end(run: Run, { end, timings }: TurnOutcome): void {
    if (this.#run !== run) return;
    this.#run = null;
    this.#store.dispatch({ type: 'answer-ended', id: run.messageId, end, timings, at: run.now() });
    this.#driver.ended(end);
    this.#store.publish();
    this.#keeper.save();
    this.#driver.next();
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
