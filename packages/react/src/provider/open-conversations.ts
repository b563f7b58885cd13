import type { Conversation } from '@ziggie/llm-client/conversation';
import { createCell } from '../hooks/value-cell.ts';

/** A render that was thrown away, and one on a server, opens conversations that no component will ever close. */
const MAX_UNSEEN_MS = 10_000;

/**
 * The conversations that are open, one of them shown. One that is left while it answers goes on until it is done; then,
 * like every other that is not shown, it is closed. All are closed when no component shows them any more, and opened again
 * from the storage should one come back.
 */
export class OpenConversations {
  /** Which one is shown. */
  readonly activeId;
  /** How often all of them were opened again: those of before are closed for good. */
  readonly reopened = createCell(0);
  readonly #make: (id: string) => Conversation;
  readonly #open = new Map<string, Conversation>();
  readonly #leaving = new Map<string, () => void>();
  #closing: ReturnType<typeof setTimeout> | undefined;
  #isHeld = false;
  #isClosed = false;

  constructor(make: (id: string) => Conversation, firstId: string) {
    this.#make = make;
    this.activeId = createCell(firstId);
  }

  /** The same object for the same id as long as it is open. */
  get(id: string): Conversation {
    let conversation = this.#open.get(id);
    if (conversation === undefined) {
      conversation = this.#make(id);
      this.#open.set(id, conversation);
      if (!this.#isHeld) this.#closeIn(MAX_UNSEEN_MS);
    }
    return conversation;
  }

  /** Keeps what is open, for a component on the page. Returns how to let go; a mount right after that finds all as it was. */
  readonly hold = (): (() => void) => {
    clearTimeout(this.#closing);
    this.#isHeld = true;
    if (this.#isClosed) {
      this.#isClosed = false;
      this.reopened.set(this.reopened.get() + 1);
    }
    return () => {
      this.#isHeld = false;
      this.#closeIn(0);
    };
  };

  /** The one of this id if it is open. */
  peek(id: string): Conversation | undefined {
    return this.#open.get(id);
  }

  readonly show = (id: string): void => this.activeId.set(id);

  /** Shows a conversation of a fresh id; it is saved with its first message. */
  readonly create = (): string => {
    const id = freshId();
    this.show(id);
    return id;
  };

  /** Closes one that was deleted. When it is the one shown, an empty one takes its place. */
  readonly forget = (id: string): void => {
    if (this.activeId.get() === id) this.create();
    else this.#close(id);
  };

  /** Closes what is not shown and has nothing to do; the others when they are done. */
  readonly settle = (): void => {
    for (const [id, conversation] of this.#open) {
      if (id === this.activeId.get()) {
        this.#leaving.get(id)?.();
        this.#leaving.delete(id);
      } else if (isIdle(conversation)) {
        this.#close(id);
      } else if (!this.#leaving.has(id)) {
        this.#leaving.set(
          id,
          conversation.runningId.subscribe(() => queueMicrotask(this.settle)),
        );
      }
    }
  };

  /** Ends every run, which saves what was written. */
  readonly stopAll = (): void => {
    for (const conversation of this.#open.values()) conversation.stop();
  };

  #closeIn(delayMs: number): void {
    clearTimeout(this.#closing);
    this.#closing = setTimeout(() => {
      this.#isClosed = true;
      for (const id of [...this.#open.keys()]) this.#close(id);
    }, delayMs);
    // In Node, where pages are rendered too, a timer keeps the process alive.
    (this.#closing as { unref?: () => void }).unref?.();
  }

  #close(id: string): void {
    this.#leaving.get(id)?.();
    this.#leaving.delete(id);
    const conversation = this.#open.get(id);
    this.#open.delete(id);
    conversation?.dispose();
  }
}

function isIdle({ runningId, queue }: Conversation): boolean {
  return runningId.get() === null && (queue.items.get().length === 0 || queue.paused.get() !== null);
}

/** `crypto.randomUUID` is there in secure contexts only. */
export function freshId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
