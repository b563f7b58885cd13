import { SOCKET_TICKET_PREFIX } from '@ziggie/llm-protocol';
import { KitFailure } from '../failure.ts';
import { isFromAllowedOrigin } from '../request/origin.ts';

/** How an upgrade shows who it is from. */
export type UpgradeCredential =
  | { kind: 'ticket'; ticket: string }
  /** A token in the address, which the operator has allowed. */
  | { kind: 'query'; token: string }
  /** The `Authorization` header, or whatever the host app's own check looks at. */
  | { kind: 'request' };

const ticketForm = /^[A-Za-z0-9_-]{43}$/;
const tokenForm = /^\?token=([A-Za-z0-9._~+/-]{1,8192}={0,2})$/;

/** The subprotocols that were offered (RFC 6455 §11.3.4). */
export function offeredProtocols(request: Request): string[] {
  return (request.headers.get('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim());
}

/**
 * What an upgrade shows. A second credential beside the first makes it unclear who is asking, so that is refused.
 *
 * @throws {KitFailure} `bad_request`
 */
export function upgradeCredential(
  request: Request,
  query: string,
  allowQueryToken: boolean,
): UpgradeCredential {
  const tickets = offeredProtocols(request).filter((name) => name.startsWith(SOCKET_TICKET_PREFIX));
  const token = allowQueryToken ? tokenForm.exec(query)?.[1] : undefined;
  if (query !== '' && token === undefined) {
    throw new KitFailure(
      'bad_request',
      allowQueryToken
        ? 'This address takes ?token=… and nothing else.'
        : 'This address takes no query. Get a ticket from POST /ws/ticket and offer it as the subprotocol "ticket.<t>".',
    );
  }
  const shown =
    tickets.length + (token === undefined ? 0 : 1) + (request.headers.has('authorization') ? 1 : 0);
  if (shown > 1) throw new KitFailure('bad_request', 'The upgrade shows more than one credential. Send one.');
  const [ticket] = tickets;
  if (token !== undefined) return { kind: 'query', token };
  if (ticket === undefined) return { kind: 'request' };
  return { kind: 'ticket', ticket: ticket.slice(SOCKET_TICKET_PREFIX.length) };
}

/** Whether a text can be a ticket at all: 32 bytes in base64url. */
export function looksLikeTicket(ticket: string): boolean {
  return ticketForm.test(ticket);
}

/**
 * Browsers open sockets from any page and send cookies along, so an `Origin` must be ours or listed. Programs send none;
 * that is refused where the host app's own check may rest on a cookie.
 *
 * @throws {KitFailure} `forbidden`
 */
export function checkUpgradeOrigin(
  request: Request,
  encrypted: boolean,
  corsOrigins: ReadonlySet<string>,
  mustHaveOrigin: boolean,
): void {
  if (!request.headers.has('origin') && !mustHaveOrigin) return;
  if (isFromAllowedOrigin(request, encrypted, corsOrigins)) return;
  throw new KitFailure(
    'forbidden',
    'The socket does not come from a page of this server. Its Origin must be this host, or be listed in cors.origins.',
    { reason: 'Origin is missing or foreign' },
  );
}
