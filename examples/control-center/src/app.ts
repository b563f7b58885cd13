import { randomBytes } from 'node:crypto';
import fastifyStatic from '@fastify/static';
import { createServerKit, type ServerKitOptions } from '@ziggie/llm-server-kit';
import { ziggieFastify } from '@ziggie/llm-server-kit/fastify';
import Fastify, { type FastifyInstance } from 'fastify';
import { audience, issuer, registerDemoToken } from './demo-token.ts';
import type { Upstream } from './upstream.ts';

/** What the app is made of. */
export interface AppOptions {
  upstream: Upstream;
  /** Folder of the built page. */
  page: string;
  /** Leaves out the token route: there is no sign-in then, so nobody gets in. */
  production?: boolean;
  /** The kit's own limits unless given. */
  limits?: ServerKitOptions['limits'];
}

// No inline script or style, no eval, nothing from elsewhere, no HTML from strings.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  // `data:` for the images that a reader adds: they are shown from what was sent, and nothing is loaded.
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** The host app: a page, a token for its visitor, and the kit at `/api/llm`. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const secret = randomBytes(32);
  const app = Fastify({ forceCloseConnections: true });
  const kit = createServerKit({
    upstreams: [{ url: options.upstream.url }],
    auth: { jwt: { secret, issuer, audience } },
    limits: options.limits,
  });

  app.addHook('onSend', async (_request, reply) => {
    reply.header('content-security-policy', contentSecurityPolicy);
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    reply.header('cross-origin-opener-policy', 'same-origin');
  });
  await app.register(ziggieFastify, { kit, prefix: '/api/llm' });
  await app.register(fastifyStatic, { root: options.page });
  app.get('/demo/source', async () => options.upstream.describe());
  if (!options.production) registerDemoToken(app, secret);

  app.addHook('preClose', async () => {
    await kit.close({ drainMs: 500 });
  });
  app.addHook('onClose', async () => options.upstream.close());
  return app;
}
