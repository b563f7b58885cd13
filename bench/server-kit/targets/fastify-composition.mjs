import { Transform } from 'node:stream';
import proxy from '@fastify/http-proxy';
import jwt from '@fastify/jwt';
import rateLimit from '@fastify/rate-limit';
import Fastify from 'fastify';
import { secret, upstream, usageCounter } from './shared.mjs';

const app = Fastify();
await app.register(jwt, { secret: Buffer.from(secret), verify: { algorithms: ['HS256'] } });
app.addHook('onRequest', async (request) => {
  await request.jwtVerify();
});
await app.register(rateLimit, {
  max: 1_000_000_000,
  timeWindow: 60_000,
  hook: 'preHandler',
  keyGenerator: (request) => request.user.sub,
});
await app.register(proxy, {
  upstream,
  undici: { connections: 1000, headersTimeout: 0, bodyTimeout: 0 },
  replyOptions: {
    onResponse(_request, reply, answer) {
      const count = usageCounter();
      reply.send(
        answer.stream.pipe(
          new Transform({
            transform(chunk, _encoding, done) {
              count(chunk);
              done(null, chunk);
            },
          }),
        ),
      );
    },
  },
});
await app.listen({ port: 0, host: '127.0.0.1' });
process.send({ port: app.server.address().port });
