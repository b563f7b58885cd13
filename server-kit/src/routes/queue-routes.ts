import * as z from 'zod';
import type { Connection } from '../connection.ts';
import type { RequestContext } from '../context.ts';
import { KitFailure } from '../failure.ts';
import type { Principal } from '../kit-types.ts';
import type { Dispatcher, QueueEntry } from '../queue/dispatcher.ts';
import { priorities } from '../queue/line-job.ts';
import { kicked, takenOut } from '../queue/queue-failure.ts';
import type { Waiting } from '../queue/waiting.ts';
import { leftOf } from '../request/direct-request.ts';
import { parse } from '../request/parse.ts';
import { readJsonBody } from '../request/read-body.ts';
import { pathOf } from '../request/target.ts';
import type { JsonAnswer } from './info-routes.ts';
import { idIn, type QueueOperation } from './route-table.ts';

const maxBodyBytes = 1024;
const wantedPriority = z.strictObject({ priority: z.enum(priorities) });

/** What the routes about lines need of the kit. */
export interface QueueParts {
  queue: Dispatcher;
}

/**
 * Who waits where. `/queue` is about the caller's own requests: those of others are not there. `/admin/queue` is about
 * everybody's.
 *
 * @throws {KitFailure} `not_found` for a request that does not wait (any more).
 */
export async function queueRoute(
  { queue }: QueueParts,
  operation: QueueOperation,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<JsonAnswer> {
  const { id: caller } = context.principal as Principal;
  switch (operation) {
    case 'my-queue':
      return { status: 200, body: { waiting: queue.list(caller).map(publicEntry) } };
    case 'queue':
      return {
        status: 200,
        body: {
          waiting: queue.list().map((entry) => ({ ...publicEntry(entry), principal: entry.principalKey })),
        },
      };
    case 'my-place':
      return { status: 200, body: publicEntry(entryOf(queue, waitingOf(queue, connection, caller))) };
    case 'leave-queue':
      queue.leave(waitingOf(queue, connection, caller), takenOut());
      return { status: 204, body: undefined };
    case 'kick-from-queue':
      queue.leave(waitingOf(queue, connection), kicked());
      return { status: 204, body: undefined };
    case 'reprioritise': {
      const { value } = await readJsonBody(request, connection, maxBodyBytes, leftOf(request));
      const { priority } = parse(wantedPriority, value);
      const waiting = waitingOf(queue, connection);
      queue.reprioritise(waiting, priority);
      const entry = entryOf(queue, waiting);
      return { status: 200, body: { ...publicEntry(entry), principal: entry.principalKey } };
    }
  }
}

/** @throws {KitFailure} */
function waitingOf(queue: Dispatcher, connection: Connection, owner?: string): Waiting {
  const waiting = queue.find(idIn(pathOf(connection.target)) ?? '');
  if (waiting === undefined || (owner !== undefined && waiting.flowKey !== owner)) throw notWaiting();
  return waiting;
}

/** @throws {KitFailure} */
function entryOf(queue: Dispatcher, { id, flowKey }: Waiting): QueueEntry {
  const entry = queue.list(flowKey).find((one) => one.id === id);
  if (entry === undefined) throw notWaiting();
  return entry;
}

function notWaiting(): KitFailure {
  return new KitFailure('not_found', 'No request of yours with this id is waiting. It may have begun.');
}

function publicEntry(entry: QueueEntry): Record<string, unknown> {
  const { id, requestId, model, priority, position, of, etaMs, enqueuedAtMs } = entry;
  return { id, requestId, model, priority, position, of, etaMs, enqueuedAt: new Date(enqueuedAtMs) };
}
