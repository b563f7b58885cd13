import type { Clock } from '../clock.ts';
import type { Principal } from '../kit-types.ts';

/** What stands in a store for a ticket. Neither the ticket nor the credential can be read from it. */
export interface TicketRecord {
  principal: Principal;
  /** The page that asked for the ticket; `null` for a program without one. */
  origin: string | null;
  /** The credential that the ticket stands for, readable with the ticket only; `null` where the host app's own check let it in. */
  sealedCredential: string | null;
  /** When it was made, in ms since 1970. */
  issuedAtMs: number;
}

/** Where tickets wait for their one use. Processes that share it can take each other's. */
export interface TicketStore {
  /** Keeps a record for `lifeMs`. `key` says nothing of the ticket. */
  put(key: string, record: TicketRecord, lifeMs: number): Promise<void>;
  /**
   * Gives the record and forgets it, in one step: of many callers at once one gets it. `undefined` when there is none or
   * it is too old.
   */
  take(key: string): Promise<TicketRecord | undefined>;
}

/** Tickets in the memory of this process. Bounded: the oldest go first, which costs their owners a new one. */
export class MemoryTicketStore implements TicketStore {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #records = new Map<string, { record: TicketRecord; endsAt: number }>();

  constructor(clock: Clock, capacity = 100_000) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  async put(key: string, record: TicketRecord, lifeMs: number): Promise<void> {
    const now = this.#clock.now();
    // All live equally long, so the first are the oldest.
    for (const [oldest, { endsAt }] of this.#records) {
      if (endsAt > now && this.#records.size < this.#capacity) break;
      this.#records.delete(oldest);
    }
    this.#records.set(key, { record, endsAt: now + lifeMs });
  }

  async take(key: string): Promise<TicketRecord | undefined> {
    const entry = this.#records.get(key);
    this.#records.delete(key);
    return entry && entry.endsAt > this.#clock.now() ? entry.record : undefined;
  }

  get size(): number {
    return this.#records.size;
  }
}

/** A record that came as text out of a store, which is not believed blindly. @throws {TypeError} when it is none. */
export function ticketRecordOf(text: string): TicketRecord {
  const { principal, origin, sealedCredential, issuedAtMs } = JSON.parse(text) as TicketRecord;
  const isRecord =
    typeof principal?.id === 'string' &&
    Array.isArray(principal.roles) &&
    (origin === null || typeof origin === 'string') &&
    (sealedCredential === null || typeof sealedCredential === 'string') &&
    Number.isFinite(issuedAtMs);
  if (!isRecord) throw new TypeError('The store gave no ticket record.');
  return { principal, origin, sealedCredential, issuedAtMs };
}
