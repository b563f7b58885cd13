import type { StreamEvent } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import { MemoryLog } from './memory-log.ts';
import {
  type Claim,
  type StreamBounds,
  type StreamHead,
  type StreamPage,
  type StreamStore,
  type WriterNews,
  writerLifeMs,
} from './stream-store.ts';

const defaultMaxBytes = 64 * 1024 * 1024;
const maxClaims = 10_000;

/**
 * Answers in the memory of this process. Bounded three ways: each answer by its oldest events, each owner and all of them
 * together by the oldest finished answers.
 */
export class MemoryStreamStore implements StreamStore {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  /** In the order in which they began. */
  readonly #logs = new Map<string, MemoryLog>();
  readonly #keepMs = new Map<string, number>();
  readonly #byOwner = new Map<string, Set<MemoryLog>>();
  readonly #claims = new Map<string, { claim: Claim; endsAt: number }>();
  readonly #stopListeners = new Set<(id: string) => void>();
  #bytes = 0;
  #cancelSweep: (() => void) | undefined;

  /** @param options `maxBytes` bounds all answers together. Default 64 MiB. */
  constructor(clock: Clock, { maxBytes = defaultMaxBytes }: { maxBytes?: number | undefined } = {}) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** How many answers are kept, and about how many bytes they take. */
  get size(): { streams: number; bytes: number } {
    return { streams: this.#logs.size, bytes: this.#bytes };
  }

  open(id: string, head: StreamHead, { maxPerOwner, keepMs }: StreamBounds): boolean {
    if (this.#live(id)) return true;
    const own = this.#byOwner.get(head.ownerKey) ?? new Set();
    for (const log of own) {
      if (own.size < maxPerOwner) break;
      if (log.hasEnded || this.#isExpired(log) || this.#isUnwritten(log)) this.drop(log.id);
    }
    if (own.size >= maxPerOwner) return false;
    const log = new MemoryLog(id, head);
    log.aliveUntil = this.#clock.now() + writerLifeMs;
    this.#logs.set(id, log);
    this.#keepMs.set(id, keepMs);
    own.add(log);
    this.#byOwner.set(head.ownerKey, own);
    this.#cancelSweep ??= this.#clock.setTimer(this.#sweep, keepMs);
    return true;
  }

  append(id: string, events: readonly StreamEvent[], { maxBytes }: StreamBounds): WriterNews {
    const log = this.#live(id);
    if (log === undefined || log.hasEnded) return 'lost';
    const before = log.bytes;
    const now = this.#clock.now();
    const fits = log.add(events, now);
    log.aliveUntil = now + writerLifeMs;
    while (log.bytes > maxBytes && log.shrink());
    this.#bytes += log.bytes - before;
    if (this.#bytes > this.#maxBytes) this.#makeRoom(log);
    log.wake();
    if (!fits) return 'lost';
    return log.wantsStop ? 'stop' : 'go';
  }

  renew(ids: readonly string[]): readonly string[] {
    const until = this.#clock.now() + writerLifeMs;
    return ids.filter((id) => {
      const log = this.#live(id);
      if (log) log.aliveUntil = until;
      return log?.wantsStop === true;
    });
  }

  bury(id: string, last: StreamEvent, bounds: StreamBounds): void {
    const log = this.#live(id);
    if (log && !log.hasEnded && log.aliveUntil <= this.#clock.now()) {
      this.append(id, [{ ...last, seq: log.next }], bounds);
    }
  }

  find(id: string): StreamHead | undefined {
    return this.#live(id)?.head;
  }

  read(id: string, after: number, stayMs: number): StreamPage | undefined {
    const log = this.#live(id);
    const events = log?.after(after);
    if (log === undefined || events === undefined) return undefined;
    const now = this.#clock.now();
    log.readersUntil = Math.max(log.readersUntil, now + stayMs);
    const { next } = log;
    if (log.hasEnded) return { events, writer: 'done', next };
    return { events, writer: log.aliveUntil > now ? 'alive' : 'gone', next };
  }

  readersStayMs(id: string): number {
    const log = this.#live(id);
    return log ? Math.max(0, log.readersUntil - this.#clock.now()) : 0;
  }

  watch(id: string, onNews: () => void): () => void {
    const log = this.#live(id);
    log?.watchers.add(onNews);
    return () => void log?.watchers.delete(onNews);
  }

  stop(id: string): boolean {
    const log = this.#live(id);
    if (log === undefined || log.hasEnded || log.aliveUntil <= this.#clock.now()) return false;
    log.wantsStop = true;
    for (const listener of [...this.#stopListeners]) listener(id);
    return true;
  }

  onStop(listener: (id: string) => void): () => void {
    this.#stopListeners.add(listener);
    return () => void this.#stopListeners.delete(listener);
  }

  drop(id: string): void {
    const log = this.#logs.get(id);
    if (log === undefined) return;
    this.#logs.delete(id);
    this.#keepMs.delete(id);
    this.#bytes -= log.bytes;
    const own = this.#byOwner.get(log.head.ownerKey);
    own?.delete(log);
    if (own?.size === 0) this.#byOwner.delete(log.head.ownerKey);
    log.wake();
    log.watchers.clear();
  }

  claim(key: string, claim: Claim, lifeMs: number): Claim | undefined {
    const now = this.#clock.now();
    const known = this.#claims.get(key);
    if (known && known.endsAt > now) return known.claim;
    this.#claims.delete(key);
    // All live about equally long, so the first are the oldest.
    for (const [oldest, { endsAt }] of this.#claims) {
      if (endsAt > now && this.#claims.size < maxClaims) break;
      this.#claims.delete(oldest);
    }
    this.#claims.set(key, { claim, endsAt: now + lifeMs });
    return undefined;
  }

  unclaim(key: string, id: string): void {
    if (this.#claims.get(key)?.claim.id === id) this.#claims.delete(key);
  }

  #live(id: string): MemoryLog | undefined {
    const log = this.#logs.get(id);
    if (log === undefined || !this.#isExpired(log)) return log;
    this.drop(id);
    return undefined;
  }

  /** Made for a run that has never begun, by a process that has gone or could not tell. */
  #isUnwritten({ next, aliveUntil }: MemoryLog): boolean {
    return next === 0 && aliveUntil <= this.#clock.now();
  }

  #isExpired(log: MemoryLog): boolean {
    const since = log.endedAt ?? log.aliveUntil;
    return this.#clock.now() >= since + (this.#keepMs.get(log.id) ?? 0);
  }

  /** Finished answers first, the oldest of them first; then the oldest events of the one that grows. */
  #makeRoom(growing: MemoryLog): void {
    for (const log of this.#logs.values()) {
      if (this.#bytes <= this.#maxBytes) return;
      if (log.hasEnded && log !== growing) this.drop(log.id);
    }
    const before = growing.bytes;
    while (this.#bytes - (before - growing.bytes) > this.#maxBytes && growing.shrink());
    this.#bytes -= before - growing.bytes;
  }

  readonly #sweep = (): void => {
    this.#cancelSweep = undefined;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const log of this.#logs.values()) {
      if (this.#isExpired(log)) this.drop(log.id);
      else soonestMs = Math.min(soonestMs, this.#keepMs.get(log.id) ?? 0);
    }
    if (this.#logs.size > 0) this.#cancelSweep = this.#clock.setTimer(this.#sweep, soonestMs);
  };

  /** Forgets everything. */
  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const id of [...this.#logs.keys()]) this.drop(id);
    this.#claims.clear();
  }
}
