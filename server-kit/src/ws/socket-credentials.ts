import { type Authenticate, unauthorized } from '../auth/authenticate.ts';
import type { RevocationBook } from '../auth/revocations.ts';
import type { Connection } from '../connection.ts';
import { KitFailure } from '../failure.ts';
import type { Settings } from '../kit-options.ts';
import type { Principal } from '../kit-types.ts';
import type { PipelineParts } from '../pipeline.ts';
import type { SocketSession } from './socket-session.ts';
import type { TicketStore } from './ticket-store.ts';
import { Tickets, ticketLifeMs } from './tickets.ts';
import { looksLikeTicket, type upgradeCredential } from './upgrade-credential.ts';

/** A socket that the host app's own check cannot be asked about again comes back for a new ticket after this time, in ms. */
const unaskedLifeMs = 3_600_000;
/** The host app's own check may ask a database: it is asked again less often than the kit's own cached one. */
const hostRecheckMs = 30_000;

/** What looking at credentials needs of the kit. */
export interface CredentialParts {
  settings: Settings;
  pipeline: PipelineParts;
  identity: { revocations: RevocationBook };
  ticketStore: TicketStore;
}

/** Who is on a socket, and how to look again. */
export interface Identity {
  principal: Principal;
  recheck: () => Promise<Principal>;
}

/** Who is on a socket: found when it is opened, and looked at again as long as it is open. */
export class SocketCredentials {
  #parts: CredentialParts;
  #tickets: Tickets;
  readonly #checkedAt = new WeakMap<SocketSession, number>();

  constructor(parts: CredentialParts) {
    this.#parts = parts;
    this.#tickets = ticketsOf(parts);
  }

  /** Other options: the next look goes by them. */
  reload(parts: CredentialParts): void {
    this.#parts = parts;
    this.#tickets = ticketsOf(parts);
  }

  /** The answer of `POST /ws/ticket`. */
  async ticket(request: Request, principal: Principal): Promise<{ ticket: string; expiresInMs: number }> {
    const { headers } = request;
    const isOfHost = this.#parts.settings.authenticate !== undefined && principal.keyId === undefined;
    const credential = isOfHost ? null : headers.get('authorization');
    const ticket = await this.#tickets.issue(principal, headers.get('origin'), credential);
    return { ticket, expiresInMs: ticketLifeMs };
  }

  /** Who comes with this credential. @throws {KitFailure} */
  async identify(
    credential: ReturnType<typeof upgradeCredential>,
    request: Request,
    connection: Connection,
  ): Promise<Identity> {
    // The check as it is when it is asked: other options may have come since.
    const authenticate: Authenticate = (...asked) => this.#parts.pipeline.authenticate(...asked);
    if (credential.kind === 'ticket') {
      const redeemed = looksLikeTicket(credential.ticket)
        ? await this.#tickets.redeem(credential.ticket, request.headers.get('origin'))
        : undefined;
      if (redeemed === undefined) throw badTicket();
      const { principal, credential: shown, issuedAtMs } = redeemed;
      if (shown === null) return this.#unasked(principal, issuedAtMs);
      const again = async () => authenticate(withCredential(request, shown), connection);
      return { principal: await again(), recheck: again };
    }
    const again = async () =>
      credential.kind === 'query'
        ? authenticate(withCredential(request, `Bearer ${credential.token}`), connection)
        : authenticate(request, connection);
    return { principal: await again(), recheck: again };
  }

  /** Whom the host app's own check let in when the ticket was made: there is nothing to show it again. */
  async #unasked(given: Principal, issuedAtMs: number): Promise<Identity> {
    const end = issuedAtMs + unaskedLifeMs;
    const principal = { ...given, expiresAtMs: Math.min(given.expiresAtMs ?? end, end) };
    const recheck = async () => {
      if (!isAlive(principal, this.#parts.settings.clock.wallNow()))
        throw unauthorized('sign-in has expired');
      if (await this.#parts.identity.revocations.hasEnded(principal.id, issuedAtMs))
        throw unauthorized('principal was revoked');
      return principal;
    };
    return { principal: await recheck(), recheck };
  }

  /** Puts somebody on a socket whose credential has just been looked at. */
  hold(session: SocketSession, { principal, recheck }: Identity): void {
    session.principal = principal;
    session.recheck = recheck;
    this.#checkedAt.set(session, this.#parts.settings.clock.now());
  }

  /** The principal, from the credential as it is now: one that was taken back opens nothing more. */
  async stillGood(session: SocketSession): Promise<Principal> {
    const { recheck } = session;
    if (recheck === undefined) throw new KitFailure('unauthorized', 'The socket has no credential.');
    const principal = await recheck();
    if (!isAlive(principal, this.#parts.settings.clock.wallNow())) {
      throw new KitFailure('unauthorized', 'The credential has expired.');
    }
    this.#checkedAt.set(session, this.#parts.settings.clock.now());
    return principal;
  }

  /** Whether it is time for another look; that counts as begun then. */
  isDue(session: SocketSession, now: number): boolean {
    const { principal } = session;
    if (principal === undefined) return false;
    const { clock, authenticate } = this.#parts.settings;
    const age = now - (this.#checkedAt.get(session) ?? 0);
    const isOfHost = authenticate !== undefined && principal.keyId === undefined;
    if (isOfHost && isAlive(principal, clock.wallNow()) && age < hostRecheckMs) return false;
    this.#checkedAt.set(session, now);
    return true;
  }
}

function ticketsOf({ settings: { clock }, ticketStore }: CredentialParts): Tickets {
  return new Tickets(ticketStore, () => clock.wallNow());
}

function isAlive({ expiresAtMs }: Principal, wallNow: number): boolean {
  return expiresAtMs === undefined || expiresAtMs > wallNow;
}

/** The upgrade as it would have been with this credential, and without a body. */
export function withCredential(request: Request, authorization: string): Request {
  const headers = new Headers(request.headers);
  headers.set('authorization', authorization);
  return new Request('http://ziggie.invalid/ws', { headers });
}

function badTicket(): KitFailure {
  return new KitFailure(
    'unauthorized',
    'The ticket is not good: it was used, is older than 30 s, or was made for another page. Get a new one.',
    { reason: 'ticket is unknown, used, expired or of another origin' },
  );
}
