import type { Attachment, Cell, Draft } from '@ziggie/llm-client/conversation';
import type { AttachmentRules } from '../attachments/attachment-rules.ts';
import type { DraftStorage } from './draft-storage.ts';

/** A file on its way into a message. */
export interface PendingAttachment {
  readonly id: string;
  readonly name: string;
  /** `refused`: it cannot go along, `reason` says why. */
  readonly state: 'reading' | 'ready' | 'refused';
  readonly attachment?: Attachment | undefined;
  readonly reason?: 'too-many' | 'too-large' | 'unreadable' | undefined;
}

/** What stands in the composer. */
export interface ComposerState {
  readonly text: string;
  readonly attachments: readonly PendingAttachment[];
}

const empty: ComposerState = { text: '', attachments: [] };

/** The draft of one conversation: its words, kept over a reload, and its files, kept as long as the page lives. */
export class ComposerStore implements Cell<ComposerState> {
  readonly #id: string;
  readonly #drafts: DraftStorage;
  readonly #listeners = new Set<() => void>();
  #state = empty;
  #isRead = false;
  #count = 0;

  constructor(conversationId: string, drafts: DraftStorage) {
    this.#id = conversationId;
    this.#drafts = drafts;
  }

  readonly get = (): ComposerState => this.#state;

  /** The first watcher makes the kept draft be read: not while rendering, so that a page from a server fits. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#listeners.add(own);
    if (!this.#isRead) {
      this.#isRead = true;
      const kept = this.#drafts.read(this.#id);
      if (kept !== '' && this.#state.text === '') this.#put({ ...this.#state, text: kept });
    }
    return () => {
      this.#listeners.delete(own);
    };
  };

  readonly setText = (text: string): void => {
    if (text === this.#state.text) return;
    this.#isRead = true;
    this.#drafts.write(this.#id, text);
    this.#put({ ...this.#state, text });
  };

  /** Reads files in the order given. What cannot go along stays in sight with its reason. */
  readonly addFiles = async (files: readonly File[], rules: AttachmentRules): Promise<void> => {
    const { maxCount = 10 } = rules;
    const added = files.map((file): PendingAttachment => {
      this.#count += 1;
      return { id: `file-${this.#count}`, name: file.name, state: 'reading' };
    });
    const room = Math.max(0, maxCount - this.#state.attachments.length);
    const refused = added
      .slice(room)
      .map((one): PendingAttachment => ({ ...one, state: 'refused', reason: 'too-many' }));
    const accepted = added.slice(0, room);
    this.#put({ ...this.#state, attachments: [...this.#state.attachments, ...accepted, ...refused] });
    await Promise.all(
      accepted.map(async (one, index) => {
        const read = await import('../attachments/read-attachment.ts').then(
          ({ readAttachment }) => readAttachment(files[index] as File, rules),
          // The code that reads files could not be fetched.
          () => ({ state: 'refused', reason: 'unreadable' }) as const,
        );
        this.#replace({ ...one, ...read });
      }),
    );
  };

  readonly removeAttachments = (ids: readonly string[]): void => {
    const attachments = this.#state.attachments.filter(({ id }) => !ids.includes(id));
    if (attachments.length < this.#state.attachments.length) this.#put({ ...this.#state, attachments });
  };

  /** What would be sent. */
  draft(): Draft {
    const { text, attachments } = this.#state;
    const ready = attachments.flatMap(({ attachment }) => (attachment === undefined ? [] : [attachment]));
    return ready.length === 0 ? { text } : { text, attachments: ready };
  }

  /** Takes everything out. Returns how to put it back, as long as nothing else was written meanwhile. */
  take(): () => void {
    const taken = this.#state;
    this.setText('');
    this.#put(empty);
    return () => {
      if (this.#state.text !== '' || this.#state.attachments.length > 0) return;
      this.setText(taken.text);
      this.#put(taken);
    };
  }

  #replace(changed: PendingAttachment): void {
    const { attachments } = this.#state;
    // Taken out while it was read: it stays out.
    if (!attachments.some(({ id }) => id === changed.id)) return;
    this.#put({
      ...this.#state,
      attachments: attachments.map((one) => (one.id === changed.id ? changed : one)),
    });
  }

  #put(state: ComposerState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** One draft per conversation, kept while others are shown. */
export class ComposerStores {
  readonly #drafts: DraftStorage;
  readonly #stores = new Map<string, ComposerStore>();

  constructor(drafts: DraftStorage) {
    this.#drafts = drafts;
  }

  get(conversationId: string): ComposerStore {
    let store = this.#stores.get(conversationId);
    if (store === undefined) {
      store = new ComposerStore(conversationId, this.#drafts);
      this.#stores.set(conversationId, store);
    }
    return store;
  }

  /** The conversation was deleted, and so is what was about to be said in it. */
  forget(conversationId: string): void {
    this.#stores.delete(conversationId);
    this.#drafts.write(conversationId, '');
  }
}
