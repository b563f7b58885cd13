import { afterEach } from 'vitest';
import { createFakeOllama } from '../src/index.ts';
import { startFakeOllama } from '../src/node.ts';
import type { FakeOllama, FakeOllamaOptions } from '../src/types.ts';

/** A stand-in that is open for one test. */
export interface Door {
  fake: FakeOllama;
  url: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
}

export interface DoorKind {
  name: string;
  open(options?: FakeOllamaOptions): Promise<Door>;
}

const toClose: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

/** The two ways in. Every conformance case runs through both. */
export const doors: readonly DoorKind[] = [
  {
    name: 'in process',
    async open(options) {
      const fake = createFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY, ...options });
      toClose.push(async () => fake.reset());
      return door(fake, 'http://127.0.0.1:11434', (input, init) => fake.fetch(input, init));
    },
  },
  {
    name: 'over a socket',
    async open(options) {
      const server = await startFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY, ...options });
      toClose.push(() => server.close());
      return door(server.fake, server.url, fetch);
    },
  },
];

export const [inProcess, overSocket] = doors as unknown as [DoorKind, DoorKind];

function door(fake: FakeOllama, url: string, send: typeof fetch): Door {
  const ask: Door['fetch'] = (path, init) => send(url + path, init);
  return {
    fake,
    url,
    fetch: ask,
    post: (path, body, init) =>
      ask(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), ...init }),
  };
}

/** A chat body with one question. */
export function ask(content: string, more: Record<string, unknown> = {}) {
  return { model: 'stand-in', messages: [{ role: 'user', content }], ...more };
}

/** A record of chat or generate, as far as tests read it. */
export interface WireRecord {
  [member: string]: unknown;
  message?: {
    role: string;
    content: string;
    thinking?: string;
    tool_calls?: { id: string; function: { index: number; name: string; arguments: object } }[];
  };
  response?: string;
  done?: boolean;
  done_reason?: string;
  eval_count?: number;
}

export async function recordsOf(response: Response): Promise<WireRecord[]> {
  const text = await response.text();
  if (text !== '' && !text.endsWith('\n')) throw new Error('The last line has no line end.');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

export async function jsonOf(response: Response): Promise<WireRecord> {
  return JSON.parse(await response.text());
}

export function textOf(records: readonly WireRecord[]): string {
  return records.map((record) => record.message?.content ?? record.response ?? '').join('');
}

/** Reads what one chunk brings. */
export async function firstChunk(response: Response): Promise<{ text: string; cancel(): Promise<void> }> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  return { text: new TextDecoder().decode(value), cancel: () => reader.cancel() };
}
