import type { Clock } from '../types.ts';
import { callOutside } from './call-outside.ts';
import { later } from './fetch-later.ts';
import { parseRecord, toRecord } from './record.ts';
import { Saver } from './saver.ts';
import type { Store } from './store.ts';
import type { ConversationRecord, ConversationState, ConversationStorage, StorageChange } from './types.ts';
import { ValueCell } from './value-cell.ts';

interface RecordKeeperOptions {
  id: string;
  storage: ConversationStorage;
  store: Store;
  clock: Clock;
  wallNow: () => number;
  /** Time of the run in progress, for the phases of a record that is saved meanwhile. */
  runNow: () => number | undefined;
  /** Another tab removed the conversation. */
  onRemoved: () => void;
  onError: ((error: unknown) => void) | undefined;
}

/**
 * Keeps the state and the saved record in step: reads the record once at the beginning, saves what changed, and takes in
 * what another tab saved or removed. Nothing is saved before the record was read, and never over one that could not be.
 */
export class RecordKeeper {
  readonly state = new ValueCell<'loading' | 'ready' | 'failed'>('loading');
  readonly #options: RecordKeeperOptions;
  readonly #saver: Saver;
  readonly #unwatch: (() => void) | undefined;
  #loading: Promise<void> | null;
  #maySave = false;
  /** Of the record that was saved last, to know it again when the storage tells of it. */
  #savedAt = 0;
  /** Counts what was forgotten: a record read or saved before that must not bring it back. */
  #life = 0;
  #savedLife = 0;
  /** Removals of our own under way: until then the storage tells of what is no more wanted. */
  #clearing = 0;
  #changedMeanwhile = false;
  #closed = false;

  constructor(options: RecordKeeperOptions) {
    this.#options = options;
    const { id, storage, store, clock, wallNow, runNow } = options;
    this.#saver = new Saver({
      id,
      storage,
      clock,
      snapshot: () => {
        this.#savedAt = wallNow();
        this.#savedLife = this.#life;
        return toRecord(store.live(), this.#savedAt, runNow());
      },
      onSaved: (error, kept) => {
        if (kept !== undefined) void this.#adopt(kept, this.#savedLife);
        this.#note(error);
      },
    });
    this.#loading = this.#load();
    this.#unwatch = storage.watch?.((change) => this.#onChange(change));
  }

  /** The reading of the saved record; `null` once it is over or its outcome is not wanted any more. */
  get loading(): Promise<void> | null {
    return this.#loading;
  }

  save(): void {
    if (this.#maySave) this.#saver.now();
  }

  /** Saves within a second: for what an answer brings. */
  saveSoon(): void {
    if (this.#maySave) this.#saver.soon();
  }

  /** The state was emptied: what was read or saved until now must not fill it again. */
  forget(): void {
    this.#life++;
    this.#loading = null;
  }

  /** Removes the record of a state that was forgotten. Rejects when the storage does. */
  async remove(): Promise<void> {
    this.#clearing++;
    try {
      await this.#saver.remove();
    } catch (error) {
      this.#note(error);
      throw error;
    } finally {
      this.#clearing--;
    }
    this.#maySave = true;
    this.#note(undefined);
    if (this.#changedMeanwhile && this.#clearing === 0) {
      this.#changedMeanwhile = false;
      // Another tab may have saved after the removal: that is not ours to lose.
      await this.#reload();
    }
    // A turn may have begun while the old record was being removed.
    if (!isEmpty(this.#options.store.live())) this.save();
  }

  /** Saves that were asked for are still done; nothing new is taken in. */
  close(): void {
    this.#closed = true;
    this.#loading = null;
    this.#maySave = false;
    this.#unwatch?.();
    this.state.release();
  }

  async #load(): Promise<void> {
    const { id, storage, store, wallNow } = this.#options;
    const initialModel = store.live().model;
    let record: ConversationRecord | null = null;
    let failure: unknown;
    try {
      const saved: unknown = await storage.load(id);
      record = saved === null ? null : parseRecord(saved, id);
    } catch (error) {
      failure = error ?? new Error('The storage rejected without a reason.');
    }
    if (this.#loading === null) return;
    this.#loading = null;
    this.#maySave = failure === undefined;
    if (record !== null) {
      const { model } = store.live();
      store.dispatch({ type: 'conversation-loaded', record });
      // Chosen while the record was read: newer than what it says.
      if (model !== null && model !== initialModel) {
        if (store.dispatch({ type: 'model-set', model, at: wallNow() })) this.save();
      }
    }
    store.publish();
    this.#note(failure);
  }

  #onChange(change: StorageChange): void {
    const { id, store, onRemoved } = this.#options;
    if (change.id !== id || this.#closed || this.#loading !== null) return;
    if (this.#clearing > 0) {
      this.#changedMeanwhile = true;
      return;
    }
    if (change.kind === 'removed') {
      if (!isEmpty(store.live())) onRemoved();
    } else if (change.updatedAt === this.#savedAt && change.detailsAt === store.live().detailsAt) {
      // Once: an older record of another tab, put together with ours, bears the same time.
      this.#savedAt = 0;
    } else {
      void this.#reload();
    }
  }

  async #reload(): Promise<void> {
    const { id, storage } = this.#options;
    const life = this.#life;
    try {
      const saved = await storage.load(id);
      if (saved !== null) void this.#adopt(parseRecord(saved, id), life);
    } catch (error) {
      this.#note(error);
    }
  }

  /** Takes in what another tab saved. What cannot be taken in now is met again at the next save. */
  async #adopt(record: ConversationRecord, life: number): Promise<void> {
    try {
      let part = later();
      if (part instanceof Promise) part = await part;
      if (this.#closed || life !== this.#life) return;
      const { store } = this.#options;
      // Theirs counts as the newer one, so that a branch that went on elsewhere is followed.
      const ours = toRecord(store.live(), record.updatedAt - 1);
      const { mergeRecords, takeIn } = part;
      const both = mergeRecords(ours, record);
      if (store.step((state) => takeIn(state, both))) store.publish();
    } catch (error) {
      this.#note(error);
    }
  }

  #note(error: unknown): void {
    this.state.set(error === undefined ? 'ready' : 'failed');
    if (error !== undefined) callOutside(() => this.#options.onError?.(error));
  }
}

/** Nothing said and nothing waiting to be said. */
function isEmpty({ nodes, queue }: ConversationState): boolean {
  return nodes.size === 0 && queue.length === 0;
}
