import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Principal } from '../kit-types.ts';

/** How long a ticket is good, in ms. */
export const ticketLifeMs = 30_000;

/** What stands in a store for a ticket. Neither the ticket nor the credential can be read from it. */
export interface TicketRecord {
  principal: Principal;
  /** The page that asked for the ticket; `null` for a program without one. */
  origin: string | null;
  /** The credential that the ticket stands for, readable with the ticket only. */
  sealedCredential: string | null;
}

/** Where tickets wait for their one use. Share it between processes when an upgrade may reach another one. */
export interface TicketStore {
  /** Keeps a record for `lifeMs`. */
  put(key: string, record: TicketRecord, lifeMs: number): Promise<void> | void;
  /** Gives the record and forgets it, in one step: of two callers one gets it. `undefined` when there is none or it is too old. */
  take(key: string): Promise<TicketRecord | undefined> | TicketRecord | undefined;
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

  put(key: string, record: TicketRecord, lifeMs: number): void {
    const now = this.#clock.now();
    // All live equally long, so the first are the oldest.
    for (const [oldest, { endsAt }] of this.#records) {
      if (endsAt > now && this.#records.size < this.#capacity) break;
      this.#records.delete(oldest);
    }
    this.#records.set(key, { record, endsAt: now + lifeMs });
  }

  take(key: string): TicketRecord | undefined {
    const entry = this.#records.get(key);
    this.#records.delete(key);
    return entry && entry.endsAt > this.#clock.now() ? entry.record : undefined;
  }

  get size(): number {
    return this.#records.size;
  }
}

/** A ticket that was good. */
export interface Redeemed {
  principal: Principal;
  /** The credential that was shown when it was made, to be looked at again while the socket is open. */
  credential: string | null;
}

/**
 * Makes and takes one-use tickets, so that a browser's WebSocket needs no token in an address that every hop would log.
 *
 * A store has the SHA-256 of a ticket as key, and the credential sealed with a key made from the ticket (HKDF, AES-256-GCM):
 * whoever reads the store can neither open a socket nor learn a token.
 */
export class Tickets {
  readonly #store: TicketStore;

  constructor(store: TicketStore) {
    this.#store = store;
  }

  /** A new ticket: 32 random bytes in base64url, bound to who asked and from which page. */
  async issue(principal: Principal, origin: string | null, credential: string | null): Promise<string> {
    const ticket = randomBytes(32).toString('base64url');
    const sealedCredential = credential === null ? null : seal(ticket, credential);
    await this.#store.put(keyOf(ticket), { principal, origin, sealedCredential }, ticketLifeMs);
    return ticket;
  }

  /** Uses a ticket up. `undefined` when it is unknown, used, too old, or was made for another page. */
  async redeem(ticket: string, origin: string | null): Promise<Redeemed | undefined> {
    const record = await this.#store.take(keyOf(ticket));
    if (record === undefined || record.origin !== origin) return undefined;
    const { principal, sealedCredential } = record;
    return { principal, credential: sealedCredential === null ? null : open(ticket, sealedCredential) };
  }
}

function keyOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64url');
}

function sealKey(ticket: string): Buffer {
  return Buffer.from(hkdfSync('sha256', ticket, '', 'ziggie ticket credential', 32));
}

function seal(ticket: string, text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', sealKey(ticket), nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** @throws {Error} when the store gave something else than it got. */
function open(ticket: string, sealedText: string): string {
  const bytes = Buffer.from(sealedText, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', sealKey(ticket), bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8');
}
