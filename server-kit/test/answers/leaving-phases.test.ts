import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { SignJWT } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { doors, startGateway } from '../faults/gateway.ts';
import { DrivenClock } from '../harness.ts';

const secret = 'a secret for tests, longer than 32 bytes';
const samples = 3;
const upstreamCount = 2;
/** A load is kept this long for the next who wants the model, in ms. */
const lingerMs = 10;

interface Phase {
  text: 'wait' | 'stream me';
  /** Keeps back the end of the body. */
  isPartial?: boolean;
  /** Every place is taken. */
  isQueued?: boolean;
  isCold?: boolean;
  isStreamed?: boolean;
  /** Where the request has got to when its client leaves. */
  until: 'seen' | 'queued' | 'sent' | 'first token';
}

const phases: [string, Phase][] = [
  ['its body is arriving', { text: 'wait', isPartial: true, until: 'seen' }],
  ['it waits in a line', { text: 'wait', isQueued: true, until: 'queued' }],
  ['the model is loaded', { text: 'wait', isCold: true, until: 'sent' }],
  ['nothing was answered', { text: 'wait', until: 'sent' }],
  ['the answer is streamed', { text: 'stream me', until: 'first token' }],
  ['a complete answer is awaited', { text: 'stream me', isStreamed: false, until: 'sent' }],
];

/** Model servers that answer as far as the prompt says, then say nothing and never end by themselves. */
async function startServers() {
  const state = { isLoaded: true, open: 0, arrived: 0 };
  const urls: string[] = [];
  const entry = { name: 'raw:latest', model: 'raw:latest', details: {} };
  const record = `${JSON.stringify({ model: 'raw:latest', message: { role: 'assistant', content: 'one' }, done: false })}\n`;
  for (let at = 0; at < upstreamCount; at++) {
    const server = createServer((req, res) => {
      if (req.method === 'GET') {
        const models = req.url === '/api/ps' && !state.isLoaded ? [] : [entry];
        res.setHeader('content-type', 'application/json').end(JSON.stringify({ models }));
        return;
      }
      let body = '';
      req.setEncoding('utf8').on('data', (piece) => {
        body += piece;
      });
      req.on('end', () => {
        state.open++;
        state.arrived++;
        res.once('close', () => state.open--);
        if (body.includes('stream me')) res.write(record);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    urls.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
  }
  return { state, urls };
}

function ask(
  port: number,
  token: string,
  { text, isPartial = false, isStreamed = true }: Partial<Phase>,
): Socket {
  const body = JSON.stringify({
    model: 'raw',
    stream: isStreamed,
    messages: [{ role: 'user', content: text }],
  });
  const head = [
    'POST /llm/chat HTTP/1.1',
    'host: 127.0.0.1',
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {}).write(`${head.join('\r\n')}\r\n\r\n${isPartial ? body.slice(0, -5) : body}`);
  return socket.resume();
}

/** No time limit of its own: how fast it is, a measurement says; that it comes, this. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe.each(doors)('on %s the model server is let go of by the leaving alone, while', (door) => {
  test.each(phases)('%s', async (_name, phase) => {
    const { state, urls } = await startServers();
    // It stands: no time limit of the kit ends anything here.
    const clock = new DrivenClock();
    const endless = Number.POSITIVE_INFINITY;
    const gateway = await startGateway(door, {
      upstreams: urls.map((url, at) => ({ url, name: `gpu-${at}`, slots: 1 })),
      auth: { jwt: { secret, issuer: false, audience: false } },
      limits: { requestsPerMinute: endless, requestsPerMinutePerAddress: endless, maxInFlight: endless },
      clock,
    });
    onTestFinished(() => gateway.close());
    const { kit } = gateway;
    const port = Number(new URL(gateway.url).port);
    const token = await new SignJWT({ sub: 'ada', roles: ['user'] })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(Math.floor(clock.wallNow() / 1000) + 3600)
      .sign(new TextEncoder().encode(secret));
    state.isLoaded = !phase.isCold;
    for (let sample = 0; sample < samples; sample++) {
      const ahead: Socket[] = [];
      while (phase.isQueued && ahead.length < upstreamCount) {
        ahead.push(ask(port, token, { text: 'stream me' }));
        await until(() => state.open === ahead.length);
      }
      const before = { arrived: state.arrived, active: kit.gauges().activeRequests };
      const socket = ask(port, token, phase);
      if (phase.until === 'seen') await until(() => kit.gauges().activeRequests > before.active);
      else if (phase.until === 'queued') await until(() => kit.gauges().queued === 1);
      else await until(() => state.arrived > before.arrived);
      if (phase.until === 'first token') await until(() => socket.bytesRead > 200);
      expect(kit.gauges().activeRequests).toBe(before.active + 1);
      socket.resetAndDestroy();
      await until(() => kit.gauges().activeRequests === before.active && kit.gauges().queued === 0);
      if (phase.isCold) {
        // Somebody in the line may want the model.
        expect(state.open).toBe(1);
        await clock.drive(lingerMs);
      }
      await until(() => state.open === ahead.length);
      if (phase.isQueued || phase.isPartial) expect(state.arrived).toBe(before.arrived);
      for (const one of ahead) one.destroy();
      await until(() => state.open === 0);
      await until(() => Object.values(kit.gauges()).every((count) => count === 0));
    }
  });
});
