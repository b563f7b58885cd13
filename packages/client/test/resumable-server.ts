import { done, start } from './samples.ts';
import {
  type Answer,
  type Exchange,
  hangUp,
  reply,
  type ScriptedServer,
  serve,
  toLines,
} from './scripted-server.ts';

/** How one connection of a run goes: after so many of the events that it has to send, it breaks. */
export interface Break {
  after: number;
  /** `reset` destroys the socket, `end` ends the body cleanly, `silence` says nothing more, `middle` cuts inside a record. */
  how: 'reset' | 'end' | 'silence' | 'middle';
}

export interface ResumableServer extends ScriptedServer {
  /** The `after` of every GET so far. */
  resumedAfter: number[];
  /** Paths of every DELETE so far. */
  deleted: string[];
}

/** The events of a run that says `pieces`, numbered from 0. */
export function runOf(pieces: readonly string[], resumable = true): object[] {
  return [
    { ...start, resumable },
    ...pieces.map((text) => ({ type: 'text-delta', text })),
    { type: 'usage', inputTokens: 1, outputTokens: pieces.length, source: 'upstream' },
    done,
  ].map((event, seq) => ({ ...event, seq }));
}

/**
 * A kit with one run that outlives its connections. Each connection breaks by the next entry of `breaks`; when they are
 * used up it goes to the end. `refusals` answer the next GETs instead.
 */
export async function resumableServer(
  run: readonly object[],
  breaks: readonly Break[],
  refusals: readonly Answer[] = [],
): Promise<ResumableServer> {
  const resumedAfter: number[] = [];
  const deleted: string[] = [];
  const left = [...breaks];
  const refuse = [...refusals];
  const server = await serve((exchange) => {
    const url = new URL(exchange.request.url ?? '', 'http://kit');
    if (exchange.request.method === 'DELETE') {
      deleted.push(url.pathname);
      if (exchange.request.headers.authorization === 'Bearer expired') {
        reply(401, '')(exchange);
        return;
      }
      exchange.response.writeHead(204).end();
      return;
    }
    let from = 0;
    if (exchange.request.method === 'GET') {
      const refusal = refuse.shift();
      if (refusal) {
        refusal(exchange);
        return;
      }
      const after = Number(url.searchParams.get('after'));
      resumedAfter.push(after);
      from = after + 1;
    }
    send(exchange, run.slice(from), left.shift());
  });
  return { ...server, resumedAfter, deleted };
}

function send(exchange: Exchange, events: readonly object[], broken: Break | undefined): void {
  if (!broken) {
    reply(200, toLines(...events))(exchange);
    return;
  }
  const { response } = exchange;
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  response.flushHeaders();
  let bytes = toLines(...events.slice(0, broken.after));
  if (broken.how === 'middle') bytes += toLines(events[broken.after] ?? {}).slice(0, 9);
  if (broken.how === 'end') response.end(bytes);
  else if (broken.how === 'silence') response.write(bytes);
  // Not before the bytes have left, or the test would be of another break.
  else response.write(bytes, () => setTimeout(() => hangUp(exchange), 5));
}
