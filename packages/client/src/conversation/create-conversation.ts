import { systemClock } from '../clock.ts';
import type { ChatEvent, Clock } from '../types.ts';
import { callOutside } from './call-outside.ts';
import { nextFrame, randomId } from './environment.ts';
import { toTurnFailure } from './failure.ts';
import { parseRecord, toRecord } from './record.ts';
import { emptyState } from './reduce.ts';
import { beginRun, type Run } from './run.ts';
import { Saver } from './saver.ts';
import { createMemoryStorage } from './storage/memory.ts';
import { Store } from './store.ts';
import { toRunAction } from './stream-actions.ts';
import { toRequest } from './to-request.ts';
import { siblingsOf } from './tree.ts';
import type {
  Cell,
  Conversation,
  ConversationOptions,
  ConversationRecord,
  ConversationState,
  ConversationStorage,
  MessageNode,
  RunPhase,
  TurnEnd,
} from './types.ts';
import { ValueCell } from './value-cell.ts';

/**
 * Opens a conversation: reads what was saved under its id, then keeps messages, run and record in step.
 *
 * `send`, `retry`, `regenerate` and `edit` wait until the saved record was read. What the stream brings is published once
 * per frame; what a caller does, and the end of a turn, at once. The record is saved when a turn begins and ends, after
 * other changes, and every second while an answer is written. Two conversations open under one id at the same time, in
 * two tabs for instance, do not know of each other: the last save wins.
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
  /** A turn waits for the saved record to be read. */
  #starting = false;
  #run: Run | null = null;
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
    this.#saver = new Saver({
      id: this.id,
      storage: this.#storage,
      clock: this.#clock,
      snapshot: () => toRecord(this.#store.live(), this.#wallNow()),
      onSaved: (error) => this.#noteStorage(error),
    });
    this.#loading = this.#load();
  }

  readonly message = (id: string): Cell<MessageNode | undefined> => this.#store.message(id);

  readonly getState = (): ConversationState => this.#store.shown();

  readonly siblings = (messageId: string): readonly string[] =>
    siblingsOf(this.#store.shown().nodes, messageId);

  readonly send = async (text: string): Promise<void> => {
    checkText(text);
    await this.#turn(() => this.#ask(this.#store.live().head, text));
  };

  readonly edit = async (messageId: string, text: string): Promise<void> => {
    checkText(text);
    await this.#turn(() => {
      const node = this.#store.live().nodes.get(messageId);
      if (node?.role !== 'user') {
        throw new TypeError('Editing a message: there is no message of the user with this id.');
      }
      return this.#ask(node.parentId, text);
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

  readonly regenerate = async (messageId?: string): Promise<void> => {
    await this.#turn(() => {
      const { nodes, head } = this.#store.live();
      const node = nodes.get(messageId ?? head ?? '');
      if (node?.role !== 'assistant') throw new TypeError('Regenerating: there is no answer with this id.');
      return this.#makeRoom(node);
    });
  };

  readonly stop = (): void => {
    const run = this.#run;
    if (run === null) return;
    this.#store.dispatch({ type: 'stop-asked', id: run.messageId });
    this.#store.publish();
    run.abort.abort();
  };

  readonly switchTo = (messageId: string): void => {
    if (!this.#store.dispatch({ type: 'head-moved', id: messageId })) return;
    this.#store.publish();
    this.#save();
  };

  readonly setModel = (model: string): void => {
    if (model === '') throw new TypeError('Choosing a model: the name is empty.');
    if (!this.#store.dispatch({ type: 'model-set', model })) return;
    this.#store.publish();
    this.#save();
  };

  readonly clear = async (): Promise<void> => {
    this.#checkOpen();
    this.#loading = null;
    const run = this.#run;
    this.#run = null;
    run?.abort.abort();
    this.#store.dispatch({ type: 'conversation-cleared' });
    this.#store.publish();
    try {
      await this.#saver.remove();
    } catch (error) {
      this.#noteStorage(error);
      throw error;
    }
    this.#maySave = true;
    this.#noteStorage(undefined);
    // A turn may have begun while the old record was being removed.
    if (this.#store.live().nodes.size > 0) this.#save();
  };

  readonly dispose = (): void => {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#loading = null;
    const run = this.#run;
    if (run !== null) {
      this.#end(run, { kind: 'stopped' });
      run.abort.abort();
    }
    this.#maySave = false;
    this.#store.release();
    this.storageState.release();
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

  /**
   * Runs a turn: `prepare` puts the tree in order and names the message to answer. Nothing is awaited between the check
   * that no run is in progress and its start, so two calls in one task cannot both pass it.
   */
  async #turn(prepare: () => string): Promise<void> {
    this.#checkOpen();
    if (this.#starting || this.#run !== null) {
      throw new Error('Starting a turn: another is in progress. Stop it or wait for its end.');
    }
    if (this.#loading !== null) {
      this.#starting = true;
      try {
        await this.#loading;
      } finally {
        this.#starting = false;
      }
      this.#checkOpen();
    }
    await this.#answer(this.#modelNow(), prepare());
  }

  #checkOpen(): void {
    if (this.#disposed)
      throw new Error('This conversation is disposed. Create another one with the same id.');
  }

  #ask(parentId: string | null, text: string): string {
    const id = this.#newId();
    this.#store.dispatch({ type: 'message-added', id, parentId, text, at: this.#wallNow() });
    return id;
  }

  /** For another answer beside this one, which stays reachable unless it holds nothing. Returns the question's id. */
  #makeRoom(answer: MessageNode): string {
    if (answer.parentId === null) {
      throw new TypeError('Answering again: there is no question before this answer.');
    }
    if (isEmpty(answer)) this.#store.dispatch({ type: 'answer-dropped', id: answer.id });
    return answer.parentId;
  }

  async #answer(model: string, parentId: string): Promise<void> {
    const run = beginRun(this.#newId(), this.#wallNow(), this.#clock);
    const request = toRequest(this.#options, model, this.#store.live().nodes, parentId);
    this.#run = run;
    this.#store.dispatch({ type: 'answer-started', id: run.messageId, parentId, model, at: run.startedAt });
    this.#store.publish();
    this.#save();
    try {
      for await (const event of this.#options.client.chat(request, { signal: run.abort.signal })) {
        // Nothing of this run is wanted any more once it has ended here: leaving the loop closes its connection.
        if (this.#run === run) this.#take(run, event);
        if (this.#run !== run) return;
      }
      this.#end(run, {
        kind: 'failed',
        failure: { code: 'truncated', message: 'The answer broke off without an end.', retryable: true },
      });
    } catch (error) {
      const stopped = run.abort.signal.aborted;
      this.#end(
        run,
        stopped ? { kind: 'stopped' } : { kind: 'failed', failure: toTurnFailure(error, run.now()) },
      );
    }
  }

  #take(run: Run, event: ChatEvent): void {
    const id = run.messageId;
    if (event.type === 'text-delta' || event.type === 'thinking-delta') {
      if (typeof event.text !== 'string' || event.text === '') return;
      this.#store.write(id, event.type === 'text-delta' ? 'text' : 'thinking', event.text, run.now());
      if (this.#maySave) this.#saver.soon();
      return;
    }
    const action = toRunAction(event, id, run.now());
    if (action === null) return;
    if (action.type === 'answer-ended') this.#end(run, action.end, action.timings);
    else this.#store.dispatch(action);
  }

  #end(run: Run, end: TurnEnd, timings?: MessageNode['timings']): void {
    if (this.#run !== run) return;
    this.#run = null;
    this.#store.dispatch({ type: 'answer-ended', id: run.messageId, end, timings, at: run.now() });
    this.#store.publish();
    this.#save();
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

function checkText(text: string): void {
  if (text.trim() === '') throw new TypeError('Sending a message: its text is empty.');
}

function isEmpty(answer: MessageNode): boolean {
  return answer.text === '' && answer.thinking === '' && answer.toolCalls.length === 0;
}
