import type { Clock } from '../clock.ts';
import { KitFailure } from '../failure.ts';
import type { SocketSession } from './socket-session.ts';

/** How often sockets are looked at, in ms: the longest time a credential that has ended keeps one open. */
const tickMs = 5000;

/** What the bounds of a book are. */
export interface SocketBounds {
  maxPerPrincipal: number;
  maxOpen: number;
}

/** Every open socket, and one timer for all of them while there are any. */
export class SocketBook {
  readonly #clock: Clock;
  bounds: SocketBounds;
  readonly #onTick: (session: SocketSession, now: number) => void;
  readonly #sessions = new Set<SocketSession>();
  readonly #perPrincipal = new Map<string, number>();
  #coming = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, bounds: SocketBounds, onTick: (session: SocketSession, now: number) => void) {
    this.#clock = clock;
    this.bounds = bounds;
    this.#onTick = onTick;
  }

  get open(): number {
    return this.#sessions.size;
  }

  /**
   * Takes a place for a socket that is being opened; gives how to give it back.
   *
   * @throws {KitFailure} `server_busy` when the process has its share.
   */
  hold(): () => void {
    if (this.#sessions.size + this.#coming >= this.bounds.maxOpen) {
      throw new KitFailure('server_busy', 'The server has as many sockets open as it can. Try again soon.', {
        retryAfterMs: 5000,
      });
    }
    this.#coming++;
    let held = true;
    return () => {
      if (held) this.#coming--;
      held = false;
    };
  }

  /** Counts a socket of a principal. @throws {KitFailure} `too_many_in_flight` */
  count(principalId: string): void {
    const open = this.#perPrincipal.get(principalId) ?? 0;
    if (open >= this.bounds.maxPerPrincipal) {
      throw new KitFailure(
        'too_many_in_flight',
        `${open} sockets are open for this user already. Close one, or use one for many requests.`,
        { retryAfterMs: 1000 },
      );
    }
    this.#perPrincipal.set(principalId, open + 1);
  }

  /** Takes back one {@link count}. */
  uncount(principalId: string): void {
    const left = (this.#perPrincipal.get(principalId) ?? 1) - 1;
    if (left > 0) this.#perPrincipal.set(principalId, left);
    else this.#perPrincipal.delete(principalId);
  }

  add(session: SocketSession): void {
    this.#sessions.add(session);
    if (this.#sessions.size === 1) this.#arm();
  }

  remove(session: SocketSession): void {
    if (!this.#sessions.delete(session)) return;
    if (session.principal) this.uncount(session.principal.id);
    if (this.#sessions.size > 0) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** Asks every socket to go when its answers are out. */
  goAway(): void {
    for (const session of [...this.#sessions]) session.goAway();
  }

  /** Ends every socket now. */
  closeAll(code: number, reason: string): void {
    for (const session of [...this.#sessions]) session.close(code, reason);
  }

  #arm(): void {
    this.#cancelTimer = this.#clock.setTimer(() => {
      const now = this.#clock.now();
      for (const session of [...this.#sessions]) this.#onTick(session, now);
      if (this.#sessions.size > 0) this.#arm();
    }, tickMs);
  }
}
