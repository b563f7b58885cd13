import { type ErrorCode, errorCodeForStatus, errorKinds, socketCloseCodes } from '@ziggie/llm-protocol';
import { ConnectionError } from '../errors/connection-error.ts';
import { HttpError } from '../errors/http-error.ts';
import { StreamError } from '../errors/stream-error.ts';
import type { ZiggieError } from '../errors/ziggie-error.ts';

/** What a close code says that is more than "the connection is gone". */
const codes: Readonly<Record<number, ErrorCode>> = {
  [socketCloseCodes.unauthorized]: 'unauthorized',
  [socketCloseCodes.forbidden]: 'forbidden',
  [socketCloseCodes.rateLimited]: 'rate_limited',
  [socketCloseCodes.unavailable]: 'shutting_down',
  // RFC 6455, section 7.4.1
  1008: 'forbidden',
  1009: 'payload_too_large',
};

/**
 * The failure of a request whose socket was closed under it.
 *
 * The reason that comes with a code is a text of whoever closed, so it is not shown.
 *
 * @param receivedEvents How many events the request had got: an answer that began is a broken stream.
 * @param problem What the socket itself reported before. `ws` says there which rule of RFC 6455 the server broke, and
 *   closes with 1006; browsers do not tell.
 */
export function closeError(closeCode: number, receivedEvents: number, problem?: unknown): ZiggieError {
  const broken = (problem as { code?: unknown } | undefined)?.code;
  if (typeof broken === 'string' && broken.startsWith('WS_ERR_')) {
    const isTooLong = /UNSUPPORTED_\w+_LENGTH|TOO_MANY/.test(broken);
    return new StreamError(
      isTooLong ? 'response_too_large' : 'malformed_record',
      `The server sent ${isTooLong ? 'more than a message may hold' : 'a frame that RFC 6455 forbids'} (${broken}).`,
      { receivedEvents, cause: problem },
    );
  }
  const code = codes[closeCode];
  if (code) {
    return new HttpError(
      code,
      `The socket was closed with ${closeCode}: ${errorKinds[code].title}.`,
      // A code that says "come back" is kept apart from the status that a request alone would have had.
      { status: errorKinds[code].status },
    );
  }
  if (closeCode === 1002 || closeCode === 1003 || closeCode === 1007) {
    return new StreamError(
      'malformed_record',
      `The socket was closed with ${closeCode}: a frame was not understood.`,
      {
        receivedEvents,
      },
    );
  }
  return new StreamError(
    'truncated',
    `The socket was closed with ${closeCode} before the answer was complete.`,
    {
      receivedEvents,
    },
  );
}

/**
 * The failure of a socket that never opened. Browsers do not say why; `ws` puts the status of a refused upgrade into its
 * message.
 */
export function upgradeError(url: string, cause: unknown): ZiggieError {
  const status = Number(
    /\b([2-5]\d\d)\b/.exec((cause as { message?: string } | undefined)?.message ?? '')?.[1],
  );
  if (status >= 400) {
    const code = errorCodeForStatus(status);
    return new HttpError(
      code,
      `Opening a socket to ${url} was refused with ${status}: ${errorKinds[code].title}.`,
      {
        status,
      },
    );
  }
  if (status >= 200) {
    return new HttpError(
      'malformed_record',
      `Opening a socket to ${url} was answered with ${status} instead. Is baseUrl right, and does it serve WebSockets?`,
      { status, retryable: false },
    );
  }
  return new ConnectionError(
    `Cannot open a socket to ${url}. Is the server running there, does it serve WebSockets, and does it allow this origin?`,
    { cause },
  );
}
