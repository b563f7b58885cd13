import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { Connection } from '../src/connection.ts';
import { createServerKit } from '../src/kit.ts';

test('models that Ollama forwards to another host are neither listed nor answered', async () => {
  const chats: string[] = [];
  const upstream = createServer((request, response) => {
    if (request.url === '/api/chat') chats.push(request.url);
    const models =
      request.url === '/api/tags'
        ? [
            { name: 'local:latest', model: 'local:latest' },
            {
              name: 'big:cloud',
              model: 'big:cloud',
              remote_model: 'big',
              remote_host: 'https://ollama.com:443',
            },
          ]
        : [];
    response.end(JSON.stringify({ models }));
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  const kit = createServerKit({
    upstreams: [{ url: `http://127.0.0.1:${port}` }],
    authenticate: () => ({ id: 'somebody', roles: ['user'] }),
  });
  const ask = (target: string, body?: unknown) => {
    const connection: Connection = { remoteAddress: '127.0.0.1', encrypted: false, target, rawHeaders: [] };
    const headers = { origin: 'http://app.test', host: 'app.test', 'content-type': 'application/json' };
    const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
    return kit.handle(new Request(`http://app.test${target}`, init), connection);
  };
  try {
    const list = (await (await ask('/models'))?.json()) as { models: { name: string }[] };
    expect(list.models.map((model) => model.name)).toEqual(['local:latest']);
    const refused = await ask('/chat', { model: 'big:cloud', messages: [{ role: 'user', content: 'Hi' }] });
    expect(refused?.status).toBe(404);
    expect(await refused?.json()).toMatchObject({ code: 'model_not_found' });
    expect(chats).toEqual([]);
  } finally {
    await kit.close({ drainMs: 0 });
    upstream.closeAllConnections();
    upstream.close();
  }
});
