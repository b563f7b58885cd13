import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';
import type { Principal } from '../kit-types.ts';
import { asUnavailable } from '../limits/limit-failure.ts';
import type { TicketStore } from './ticket-store.ts';

/** How long a ticket is good, in ms. */
export const ticketLifeMs = 30_000;

/** A ticket that was good. */
export interface Redeemed {
  principal: Principal;
  /** The credential that was shown when it was made, to be looked at again while the socket is open. */
  credential: string | null;
  /** When it was made, in ms since 1970. */
  issuedAtMs: number;
}

/**
 * Makes and takes one-use tickets, so that a browser's WebSocket needs no token in an address that every hop would log.
 *
 * A store has the SHA-256 of a ticket as key, and the credential sealed with a key made from the ticket (HKDF, AES-256-GCM):
 * whoever reads the store can neither open a socket nor learn a token.
 */
export class Tickets {
  readonly #store: TicketStore;
  readonly #wallNow: () => number;

  constructor(store: TicketStore, wallNow: () => number) {
    this.#store = store;
    this.#wallNow = wallNow;
  }

  /**
   * A new ticket: 32 random bytes in base64url, bound to who asked and from which page.
   *
   * @throws {KitFailure} `store_unavailable`
   */
  async issue(principal: Principal, origin: string | null, credential: string | null): Promise<string> {
    const ticket = randomBytes(32).toString('base64url');
    const sealedCredential = credential === null ? null : seal(ticket, credential);
    const record = { principal, origin, sealedCredential, issuedAtMs: this.#wallNow() };
    await stored(() => this.#store.put(keyOf(ticket), record, ticketLifeMs));
    return ticket;
  }

  /**
   * Uses a ticket up. `undefined` when it is unknown, used, too old, or was made for another page.
   *
   * @throws {KitFailure} `store_unavailable`, also when the store gives something else than it got.
   */
  redeem(ticket: string, origin: string | null): Promise<Redeemed | undefined> {
    return stored(async () => {
      const record = await this.#store.take(keyOf(ticket));
      if (record === undefined || record.origin !== origin) return undefined;
      const { principal, sealedCredential, issuedAtMs } = record;
      const credential = sealedCredential === null ? null : open(ticket, sealedCredential);
      return { principal, credential, issuedAtMs };
    });
  }
}

async function stored<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw asUnavailable(thrown);
  }
}

function keyOf(ticket: string): string {
  return hash('sha256', ticket, 'base64url');
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
  const decipher = createDecipheriv('aes-256-gcm', sealKey(ticket), bytes.subarray(0, 12), {
    authTagLength: 16,
  });
  decipher.setAuthTag(bytes.subarray(12, 28));
  return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8');
}
