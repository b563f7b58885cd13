import type { Answer } from '../answer/answer.ts';
import { framingFor } from '../answer/framing.ts';
import { streamHeaders } from '../answer/stream-headers.ts';
import type { Connection } from '../connection.ts';
import type { RequestContext } from '../context.ts';
import { KitFailure } from '../failure.ts';
import type { Settings } from '../kit-options.ts';
import type { Principal } from '../kit-types.ts';
import type { LeaseBook } from '../lease.ts';
import { headerOf, leftOf } from '../request/direct-request.ts';
import { pathOf, queryOf } from '../request/target.ts';
import { idIn } from '../routes/route-table.ts';
import type { StopSignal } from '../stop.ts';
import type { LogReader } from './log-reader.ts';
import { noStream } from './stream-failures.ts';
import type { Streams } from './streams.ts';

/** What the routes about streams need of the kit. */
export interface ResumeParts {
  settings: Settings;
  leases: LeaseBook;
  streams: Streams;
}

/** `GET /streams/:id`: the rest of an answer, and what is written meanwhile. @throws {KitFailure} */
export async function resumeRoute(
  parts: ResumeParts,
  request: Request,
  { target }: Connection,
  context: RequestContext,
): Promise<Answer> {
  const after = wantedAfter(queryOf(target)['after'] ?? headerOf(request, 'last-event-id') ?? '-1');
  const reader = await openReader(parts, idIn(pathOf(target)) ?? '', after, leftOf(request), context);
  const framing = framingFor(headerOf(request, 'accept'));
  return {
    status: 200,
    headers: streamHeaders(context, framing, reader.id),
    body: { events: reader, framing },
  };
}

/** A reader of an answer that is kept, and its log line. @throws {KitFailure} */
export async function openReader(
  { settings, leases, streams }: ResumeParts,
  id: string,
  after: number,
  left: StopSignal,
  context: RequestContext,
): Promise<LogReader> {
  const { resume, timeouts } = settings;
  if (resume === undefined) throw noStream();
  const lease = leases.open(left, () => {}, context.admission);
  try {
    const found = await lease.during(streams.find(id, context.principal as Principal, context.rights));
    context.model = found.head.model;
    context.mark('stream');
    settings.requestMetrics?.resumed();
    const { heartbeatMs } = timeouts;
    const onOver = (how: 'end' | 'left' | 'cut') => {
      if (how === 'left') context.log('left', 499);
      else context.log(how === 'end' ? 'ok' : 'failed', 200);
    };
    return await streams.read(found, { after, lease, settings: resume, heartbeatMs, onOver });
  } catch (thrown) {
    lease.close();
    throw thrown;
  }
}

/** `DELETE /streams/:id`. @throws {KitFailure} `not_found` when there is nothing to end. */
export async function stopRoute(
  { settings, streams }: ResumeParts,
  { target }: Connection,
  context: RequestContext,
): Promise<void> {
  if (settings.resume === undefined) throw noStream();
  const found = await streams.find(
    idIn(pathOf(target)) ?? '',
    context.principal as Principal,
    context.rights,
  );
  await streams.stop(found);
}

function wantedAfter(text: string): number {
  const after = /^(?:-1|\d{1,15})$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(after)) return after;
  throw new KitFailure('bad_request', 'after: must be the seq of the last event that was read, or -1.');
}
