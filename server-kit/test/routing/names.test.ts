import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventsIn, startBench } from '../harness.ts';

/** A server whose model has a name of its own kind. */
async function startNamed(id: string): Promise<string> {
  const server = createServer((req, res) => {
    req.resume();
    if (req.method === 'GET') {
      res.setHeader('content-type', 'application/json').end(JSON.stringify({ data: [{ id }] }));
      return;
    }
    const chunk = { id: 'c', object: 'chat.completion.chunk', model: id };
    const said = { ...chunk, choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: null }] };
    const end = { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    res.setHeader('content-type', 'text/event-stream');
    res.end(`data: ${JSON.stringify(said)}\n\ndata: ${JSON.stringify(end)}\n\ndata: [DONE]\n\n`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a name of a model that no header can have', () => {
  test.each([
    ['组织/模型', '%E7%BB%84%E7%BB%87/%E6%A8%A1%E5%9E%8B'],
    ['a\r\nx-evil: 1', 'a%0D%0Ax-evil:%201'],
    ['a\ud800b', 'a%EF%BF%BDb'],
    ['a%20b', 'a%20b'],
  ])('%j answers to its alias, and stands in the header as %s', async (id, shown) => {
    const url = await startNamed(id);
    const bench = await startBench({
      upstreams: [{ url, dialect: 'openai' }],
      routing: { aliases: { fast: id } },
    });
    const answer = await bench.chat({ model: 'fast' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-ziggie-model')).toBe(shown);
    expect(answer.headers.get('x-evil')).toBeNull();
    expect((await eventsIn(answer)).at(-1)).toMatchObject({ type: 'done' });
  });
});
