import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** One request with its answer, and when the other side left. */
export interface Exchange {
  request: IncomingMessage;
  body: string;
  response: ServerResponse;
  /** Resolves when the connection of this exchange is closed or its answer has ended. */
  closed: Promise<void>;
  /** The other side closed before the answer was complete. */
  left: boolean;
}

export type Answer = (exchange: Exchange) => void;

export interface ScriptedServer {
  url: string;
  exchanges: Exchange[];
  /** The nth request (from 1), as soon as it has arrived whole. */
  arrived(number: number): Promise<Exchange>;
  close(): Promise<void>;
}

/** A real node:http server on 127.0.0.1: each request gets the next answer, the last one again and again. */
export async function serve(...answers: Answer[]): Promise<ScriptedServer> {
  const exchanges: Exchange[] = [];
  const waiting: { number: number; resolve: (exchange: Exchange) => void }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const exchange: Exchange = {
        request,
        response,
        body: Buffer.concat(chunks).toString(),
        left: false,
        closed: new Promise((resolve) => {
          response.on('close', () => {
            exchange.left = !response.writableFinished;
            resolve();
          });
        }),
      };
      exchanges.push(exchange);
      answers[Math.min(exchanges.length, answers.length) - 1]?.(exchange);
      for (const { number, resolve } of waiting) {
        const found = exchanges[number - 1];
        if (found) resolve(found);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    arrived: (number) =>
      new Promise((resolve) => {
        const found = exchanges[number - 1];
        if (found) resolve(found);
        else waiting.push({ number, resolve });
      }),
    close,
  };
}

/** Answers with a body and ends. */
export function reply(status: number, body: string | Buffer, headers: Record<string, string> = {}): Answer {
  return ({ response }) => void response.writeHead(status, headers).end(body);
}

/** Answers with JSON lines and ends. */
export function lines(...records: unknown[]): Answer {
  return reply(200, toLines(...records), { 'Content-Type': 'application/x-ndjson' });
}

/** Answers with events of the kit, numbered from 0, and ends. */
export function events(...bodies: object[]): Answer {
  return lines(...bodies.map((body, seq) => ({ ...body, seq })));
}

/** Writes these records and leaves the stream open. */
export function linesThenSilence(...records: unknown[]): Answer {
  return ({ response }) => {
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.flushHeaders();
    if (records.length > 0) response.write(toLines(...records));
  };
}

/** Says nothing, not even a status. */
export const silence: Answer = () => {};

/** Cuts the connection without a word. */
export const hangUp: Answer = ({ request }) => void request.socket.destroy();

export function toLines(...records: unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/** Writes these records, and cuts the connection when they are on their way. */
export function linesThenHangUp(...records: unknown[]): Answer {
  return (exchange) => {
    linesThenSilence(...records)(exchange);
    setTimeout(() => hangUp(exchange), 10);
  };
}
