import { once } from 'node:events';
import { createServer, globalAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { certificate } from '../../../../server-kit/test/doors/certificate.ts';
import { createClient } from '../index.ts';

const trustedBefore = globalAgent.options.ca;
afterEach(() => {
  globalAgent.options.ca = trustedBefore;
});

test('an answer is read over TLS, and a certificate that nobody vouches for is refused', async () => {
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (_request, response) => {
    response.setHeader('Content-Type', 'application/x-ndjson');
    response.write('{"model":"m","message":{"role":"assistant","content":"Over "},"done":false}\n');
    response.end(
      '{"model":"m","message":{"role":"assistant","content":"TLS"},"done":true,"done_reason":"stop"}\n',
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `https://localhost:${(server.address() as AddressInfo).port}`;
  const client = createClient({ baseUrl, target: 'ollama', retry: { maxAttempts: 1 } });
  const ask = () => client.chat({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }).text();
  try {
    await expect(ask()).rejects.toMatchObject({ code: 'connect_failed' });
    globalAgent.options.ca = certificate.cert;
    expect(await ask()).toBe('Over TLS');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
