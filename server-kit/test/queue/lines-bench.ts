import type { StreamEvent } from '@ziggie/llm-protocol';
import { SignJWT } from 'jose';
import {
  chunk,
  lastRecord,
  type RawExchange,
  type RawOllama,
  startRawOllama,
  streamEnd,
  streamHead,
  textRecord,
} from '../raw-ollama.ts';
import {
  type Bench,
  type BenchOptions,
  closeLater,
  question,
  readerOf,
  startBench,
  until,
} from '../stream-harness.ts';

/** A kit whose model server has one place and answers when the test says so. */
export interface LinesBench extends Bench {
  raw: RawOllama;
  /** Asks for an answer as somebody. What is not read stays on the model server, so its place as well. */
  chat(user: string, more?: ChatMore): Promise<Response>;
  /** The same, and reads it. */
  read(user: string, more?: ChatMore): Promise<string>;
  /** Sends a request of another kind as somebody. */
  as(user: string, method: string, path: string, body?: unknown, roles?: string[]): Promise<Response>;
  /** Waits for the answer with this number to be asked for, and writes all of it. */
  answer(at: number, text?: string): Promise<void>;
  /** Waits for the answer with this number to be asked for. */
  asked(at: number): Promise<RawExchange>;
}

interface ChatMore {
  signal?: AbortSignal | undefined;
  headers?: Record<string, string> | undefined;
  stream?: boolean | undefined;
  roles?: string[] | undefined;
}

const secret = 'a secret of the tests, of more than 32 bytes';

/** Two roles beside `user` and `admin`: one for nightly jobs, one with a double share. */
const roles: NonNullable<BenchOptions['roles']> = {
  user: { permissions: ['chat', 'me:read'] },
  nightly: { permissions: ['chat'], priority: 'batch' },
  twice: { permissions: ['chat'], weight: 2 },
  admin: { permissions: ['chat', 'queue:admin'] },
};

export async function tokenOf(user: string, roleNames: string[] = ['user']): Promise<string> {
  return new SignJWT({ roles: roleNames })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime('2h')
    .sign(new TextEncoder().encode(secret));
}

export async function startLine(options: BenchOptions = {}): Promise<LinesBench> {
  const raw = await startRawOllama(() => {});
  closeLater(() => raw.close());
  const bench = startBench(raw.url, { upstreams: [{ url: raw.url, slots: 1 }], roles, ...options });
  const asked = async (at: number) => {
    await until(() => raw.exchanges.length > at, 5000);
    return raw.exchanges[at] as RawExchange;
  };
  const as = async (user: string, method: string, path: string, body?: unknown, roleNames?: string[]) => {
    const init: RequestInit = {
      method,
      headers: {
        authorization: `Bearer ${await tokenOf(user, roleNames)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const connection = { remoteAddress: '192.0.2.7', encrypted: false, target: path, rawHeaders: [] };
    const response = await bench.kit.handle(new Request(`http://ziggie.invalid${path}`, init), connection);
    if (!response) throw new Error(`${path} is not a route of the kit.`);
    return response;
  };
  const chat = async (
    user: string,
    { signal, headers = {}, stream = true, roles: roleNames }: ChatMore = {},
  ) => {
    const authorization = `Bearer ${await tokenOf(user, roleNames)}`;
    const body = { ...question('Hi', 'raw'), stream };
    return bench.ask('/chat', body, { signal, headers: { authorization, ...headers } });
  };
  return Object.assign(bench, {
    raw,
    asked,
    as,
    chat,
    read: async (...more: Parameters<typeof chat>) => (await chat(...more)).text(),
    async answer(at: number, text = 'Hi') {
      const { socket } = await asked(at);
      socket.write(
        Buffer.concat([
          Buffer.from(streamHead),
          chunk(textRecord(text)),
          chunk(lastRecord),
          Buffer.from(streamEnd),
        ]),
      );
    },
  });
}

/** Reads a stream as it comes, as a door would. */
export function eventsIn(response: Response) {
  const reader = readerOf(response);
  const events: StreamEvent[] = [];
  const waiting = new Set<() => void>();
  let isOver = false;
  const reading = (async () => {
    let text = '';
    for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) {
      text += piece;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') events.push(JSON.parse(line) as StreamEvent);
      for (const look of [...waiting]) look();
    }
    isOver = true;
    for (const look of [...waiting]) look();
  })();
  return {
    events,
    /** Resolves with the first event like this. */
    until: (isIt: (event: StreamEvent) => boolean) =>
      new Promise<StreamEvent>((resolve, reject) => {
        const look = () => {
          const found = events.find(isIt);
          if (!found && !isOver) return;
          waiting.delete(look);
          if (found) resolve(found);
          else reject(new Error(`The stream ended with ${JSON.stringify(events.at(-1))}.`));
        };
        waiting.add(look);
        look();
      }),
    async rest(): Promise<StreamEvent[]> {
      await reading;
      return events;
    },
  };
}
