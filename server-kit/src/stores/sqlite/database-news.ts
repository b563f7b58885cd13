import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../clock.ts';

/** How often the file is looked at for what other processes wrote, in ms: while somebody reads, and otherwise. */
const readingMs = 100;
const idleMs = 500;

/**
 * Who wants to hear of changes, of this process and of others. SQLite tells nobody; whether another connection has written is
 * one number (`PRAGMA data_version`), which costs a few microseconds to look at.
 */
export class DatabaseNews {
  readonly #clock: Clock;
  readonly #version: () => number;
  readonly #stopped: () => readonly string[];
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #stopListeners = new Set<(id: string) => void>();
  #seen: number;
  #cancel: (() => void) | undefined;

  /** @param stopped Answers that somebody asked to stop and that are still written. */
  constructor(database: DatabaseSync, clock: Clock, stopped: () => readonly string[]) {
    const statement = database.prepare('PRAGMA data_version');
    this.#version = () => statement.get()?.['data_version'] as number;
    this.#seen = this.#version();
    this.#clock = clock;
    this.#stopped = stopped;
  }

  watch(id: string, onNews: () => void): () => void {
    const set = this.#watchers.get(id) ?? new Set();
    set.add(onNews);
    this.#watchers.set(id, set);
    this.#look();
    return () => {
      set.delete(onNews);
      if (set.size === 0 && this.#watchers.get(id) === set) this.#watchers.delete(id);
      this.#endIfIdle();
    };
  }

  onStop(listener: (id: string) => void): () => void {
    this.#stopListeners.add(listener);
    this.#look();
    return () => {
      this.#stopListeners.delete(listener);
      this.#endIfIdle();
    };
  }

  /** This process has changed a log. */
  tell(id: string): void {
    for (const watcher of [...(this.#watchers.get(id) ?? [])]) watcher();
  }

  /** Somebody has asked to stop an answer. */
  tellStopped(): void {
    if (this.#stopListeners.size === 0) return;
    for (const id of this.#stopped()) for (const listener of [...this.#stopListeners]) listener(id);
  }

  close(): void {
    this.#watchers.clear();
    this.#stopListeners.clear();
    this.#endIfIdle();
  }

  #look(): void {
    this.#cancel?.();
    this.#cancel = this.#clock.setTimer(
      () => {
        this.#cancel = undefined;
        this.#see();
        if (this.#watchers.size + this.#stopListeners.size > 0 && !this.#cancel) this.#look();
      },
      this.#watchers.size > 0 ? readingMs : idleMs,
    );
  }

  #see(): void {
    let version: number;
    try {
      version = this.#version();
    } catch {
      // A file that was closed has no news.
      return;
    }
    if (version === this.#seen) return;
    this.#seen = version;
    for (const id of [...this.#watchers.keys()]) this.tell(id);
    this.tellStopped();
  }

  #endIfIdle(): void {
    if (this.#watchers.size + this.#stopListeners.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
