import { createServer } from 'node:http';
import express from 'express';
import Fastify from 'fastify';
import { ziggieExpress } from '../../../server-kit/dist/express.js';
import { ziggieFastify } from '../../../server-kit/dist/fastify.js';
import { createServerKit } from '../../../server-kit/dist/index.js';
import { ziggieNode } from '../../../server-kit/dist/node.js';
import { ready, told, upstream, usage } from './shared.mjs';

// Every stage at work, none of them in the way: limits that are counted and never reached.
const much = 1_000_000_000;
const log = (fields) => {
  usage.requests++;
  usage.tokens += fields.outputTokens ?? 0;
};
const kit = createServerKit({
  upstreams: [{ url: upstream, slots: 10_000 }],
  auth: { jwt: { secret: process.env.JWT_SECRET, issuer: false, audience: false } },
  limits: {
    requestsPerMinute: much,
    requestsPerMinutePerAddress: much,
    maxInFlight: much,
    rules: [{ name: 'tokens', per: 'user', unit: 'totalTokens', window: 'day', limit: much }],
  },
  content:
    process.argv[3] === 'redact'
      ? { redact: { output: ['email', 'phone', 'card', 'iban', 'key'] } }
      : undefined,
  logger: { info: log, warn() {}, error: console.error },
});
told.gauges = () => kit.gauges();

switch (process.argv[2]) {
  case 'express':
    ready(createServer(express().use('/llm', ziggieExpress(kit))));
    break;
  case 'fastify': {
    const app = Fastify();
    await app.register(ziggieFastify, { kit, prefix: '/llm' });
    await app.listen({ port: 0, host: '127.0.0.1' });
    process.send({ port: app.server.address().port });
    break;
  }
  default:
    ready(createServer(ziggieNode(kit, { prefix: '/llm' })));
}
