import { createServer } from 'node:http';
import type { FakeOllamaServer } from '@ziggie/llm-testing';
import type { ServerKit, ServerKitOptions } from '../../src/index.ts';
import { ziggieNode, ziggieSockets } from '../../src/node.ts';
import { listen } from '../doors/hosts.ts';
import {
  type Bench,
  type BenchOptions,
  closeLater,
  createTestClock,
  startBench,
  startWithFake,
  type TestClock,
  token,
} from '../stream-harness.ts';
import { SocketClient } from './socket-client.ts';

/** A kit on a real server. */
export interface SocketBench extends Bench {
  kit: ServerKit;
  ollama: FakeOllamaServer;
  clock: TestClock;
  port: number;
  url: string;
  /** Opens a socket with a valid token of `ada`. It is closed after the test. */
  open(headers?: Record<string, string>): Promise<SocketClient>;
  /** Opens one just so. */
  openAs(protocols: string[], headers: Record<string, string>, query?: string): Promise<SocketClient>;
  post(path: string, headers?: Record<string, string>): Promise<Response>;
}

/** A kit with sockets in front of the stand-in, or of a given upstream. */
export async function startSockets(
  options: Omit<Partial<ServerKitOptions>, 'clock'> = {},
  upstream?: string,
): Promise<SocketBench> {
  const clock = createTestClock();
  const given: BenchOptions = { clock, ...options };
  const bench =
    upstream === undefined ? await startWithFake(given) : Object.assign(startBench(upstream, given));
  const server = createServer(ziggieNode(bench.kit, { prefix: '/api/llm' }));
  const detach = ziggieSockets(server, bench.kit, { prefix: '/api/llm' });
  const running = await listen(server);
  closeLater(async () => {
    detach();
    await running.close();
  });
  const url = `ws://127.0.0.1:${running.port}/api/llm/ws`;
  const openAs = (protocols: string[], headers: Record<string, string>, query = '') =>
    SocketClient.open(`${url}${query}`, protocols, headers);
  return Object.assign(bench, {
    clock,
    port: running.port,
    url,
    openAs,
    open: async (headers = {}) =>
      openAs(['ziggie.v1'], { authorization: `Bearer ${await token()}`, ...headers }),
    post: (path: string, headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${running.port}/api/llm${path}`, { method: 'POST', headers }),
  }) as SocketBench;
}

/** A chat frame. */
export const chatFrame = (id: string, credit = 1000, text = 'Hello', more: Record<string, unknown> = {}) => ({
  id,
  type: 'chat',
  request: { model: 'stand-in', messages: [{ role: 'user', content: text }], ...more },
  credit,
});
