import { Agent, createServer } from 'node:http';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { jwtVerify } from 'jose';
import { ready, secret, upstream, usageCounter } from './shared.mjs';

const app = express();
app.use(async (req, res, next) => {
  try {
    const { payload } = await jwtVerify((req.headers.authorization ?? '').slice(7), secret, {
      algorithms: ['HS256'],
    });
    req.user = payload.sub;
    next();
  } catch {
    res.sendStatus(401);
  }
});
app.use(
  rateLimit({
    windowMs: 60_000,
    limit: 1_000_000_000,
    keyGenerator: (req) => req.user,
    standardHeaders: 'draft-8',
  }),
);
app.use(
  createProxyMiddleware({
    target: upstream,
    agent: new Agent({ keepAlive: true, maxSockets: 1000 }),
    on: {
      proxyRes: (answer) => {
        const count = usageCounter();
        answer.on('data', (chunk) => count(chunk));
      },
    },
  }),
);
ready(createServer(app));
