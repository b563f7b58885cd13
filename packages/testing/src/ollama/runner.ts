import type { FakeClock } from '../types.ts';
import type { InstalledModel } from './catalog.ts';
import { deferred } from './deferred.ts';
import { ClientLeft } from './http-failure.ts';

interface RunnerOptions {
  model: InstalledModel;
  loadKey: string;
  contextLength: number;
  slots: number;
  keepAliveMs: number;
  clock: FakeClock;
  onChange: () => void;
  onExpired: () => void;
}

/** A model in memory: its slots, the line for them, and when it will be freed. */
export class Runner {
  readonly model: InstalledModel;
  readonly loadKey: string;
  readonly contextLength: number;
  readonly slots: number;
  readonly #options: RunnerOptions;
  #keepAliveMs: number;
  #users = 0;
  #running = 0;
  #line: (() => void)[] = [];
  #expiresAtMs: number | undefined;
  #cancelTimer: (() => void) | undefined;
  #gone = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.model = options.model;
    this.loadKey = options.loadKey;
    this.contextLength = options.contextLength;
    this.slots = options.slots;
    this.#keepAliveMs = options.keepAliveMs;
  }

  get idle(): boolean {
    return this.#users === 0;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#line.length;
  }

  get keepAliveMs(): number {
    return this.#keepAliveMs;
  }

  /** Clock time. While requests run, what it would be if they ended now. */
  get expiresAtMs(): number {
    return this.#expiresAtMs ?? this.#options.clock.now() + this.#keepAliveMs;
  }

  /** Counts one more request; it stays loaded until that request calls `release`. */
  use(keepAliveMs: number | undefined): void {
    this.#users++;
    this.#cancelTimer?.();
    this.#expiresAtMs = undefined;
    // Stored on the shared runner: the last explicit value wins for everybody.
    if (keepAliveMs !== undefined) this.#keepAliveMs = keepAliveMs;
    this.#options.onChange();
  }

  release(): void {
    if (this.#gone) return;
    this.#users--;
    if (this.#users === 0) this.#startTimer();
    this.#options.onChange();
  }

  /**
   * Waits for a slot, first come, first served, without limit, and returns how to give it back.
   *
   * @throws {ClientLeft} when the signal fires first: the place in the line is given up.
   */
  async takeSlot(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw new ClientLeft();
    if (this.#running >= this.slots) {
      const { promise, resolve, reject } = deferred<void>();
      const leave = () => {
        this.#line = this.#line.filter((waiting) => waiting !== resolve);
        reject(new ClientLeft());
        this.#options.onChange();
      };
      this.#line.push(resolve);
      signal.addEventListener('abort', leave, { once: true });
      this.#options.onChange();
      // Whoever gives a slot back hands it on without lowering the count, so nobody can slip in between.
      await promise.finally(() => signal.removeEventListener('abort', leave));
    } else this.#running++;
    this.#options.onChange();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#line.shift();
      if (next) next();
      else this.#running--;
      this.#options.onChange();
    };
  }

  /** As a keep_alive of 0: freed at once, or when the last request has ended. */
  expireWhenIdle(): void {
    this.#keepAliveMs = 0;
    if (this.idle) this.#startTimer();
  }

  /** Freed now, whoever uses it. */
  dispose(): void {
    this.#gone = true;
    this.#cancelTimer?.();
  }

  #startTimer(): void {
    this.#cancelTimer?.();
    const { clock, onExpired } = this.#options;
    const expire = () => {
      this.dispose();
      onExpired();
    };
    if (this.#keepAliveMs === 0) {
      expire();
      return;
    }
    this.#expiresAtMs = clock.now() + this.#keepAliveMs;
    if (Number.isFinite(this.#keepAliveMs)) {
      this.#cancelTimer = clock.setTimer(expire, this.#keepAliveMs, true);
    }
  }
}
