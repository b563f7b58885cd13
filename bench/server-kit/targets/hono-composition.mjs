import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { jwt } from 'hono/jwt';
import { proxy } from 'hono/proxy';
import { rateLimiter } from 'hono-rate-limiter';
import { ready, upstream, usageCounter } from './shared.mjs';

const app = new Hono();
app.use(jwt({ secret: process.env.JWT_SECRET, alg: 'HS256' }));
app.use(
  rateLimiter({
    windowMs: 60_000,
    limit: 1_000_000_000,
    keyGenerator: (context) => context.get('jwtPayload').sub,
  }),
);
app.all('*', async (context) => {
  const { pathname } = new URL(context.req.url);
  const answer = await proxy(`${upstream}${pathname}`, context.req);
  const count = usageCounter();
  const decoder = new TextDecoder();
  const counted = answer.body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        count(decoder.decode(chunk, { stream: true }));
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(counted, answer);
});
ready(createAdaptorServer({ fetch: app.fetch }));
