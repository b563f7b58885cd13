import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { ziggieNode } from '../../src/node.ts';
import { listen } from '../doors/hosts.ts';
import { lastRecord, textRecord, whole } from '../raw-ollama.ts';
import { closeLater, question, startWithRaw, token } from '../stream-harness.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as (how?: { type: 'minor' }) => void;

const connections = 10;

/** Asks for so many whole answers over a few connections. */
async function ask(port: number, count: number, agent: Agent, authorization: string): Promise<void> {
  const body = JSON.stringify({ ...question('Hello', 'raw'), stream: false });
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const headers = { authorization, 'content-type': 'application/json' };
      const out = request({ port, host: '127.0.0.1', path: '/chat', method: 'POST', agent, headers });
      out.end(body);
      const [answer] = await once(out, 'response');
      expect(answer.statusCode).toBe(200);
      answer.resume();
      await once(answer, 'end');
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
}

/** What the collector of young objects does not get back, in bytes. A full collection would hide it. */
function afterMinor(): number {
  for (let turn = 0; turn < 3; turn++) gc({ type: 'minor' });
  return process.memoryUsage().heapUsed;
}

// What outlives its request is copied twice and then kept until everything is collected: a third of the CPU of a request.
test('a request that is over is no work for the collector of old objects', async () => {
  const records = textRecord('Hi') + lastRecord;
  const much = 1_000_000;
  const { kit, raw } = await startWithRaw(
    ({ socket }) => {
      // The stand-in keeps what it was asked.
      raw.exchanges.length = 0;
      socket.write(whole(records, 'HTTP/1.1 200 OK', ['content-type: application/x-ndjson']));
    },
    {
      limits: { requestsPerMinute: much, requestsPerMinutePerAddress: much, maxInFlight: much },
      logger: { info() {}, warn() {}, error: console.error },
    },
  );
  const host = await listen(createServer(ziggieNode(kit)));
  closeLater(host.close);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  closeLater(async () => agent.destroy());
  const authorization = `Bearer ${await token()}`;
  await ask(host.port, 300, agent, authorization);
  gc();
  const before = afterMinor();
  const count = 300;
  await ask(host.port, count, agent, authorization);
  expect((afterMinor() - before) / count).toBeLessThan(8000);
});
