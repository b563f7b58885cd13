import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerKit } from '../kit-types.ts';
import type { DoorOptions } from '../node/door-options.ts';
import { ziggieNode } from '../node/ziggie-node.ts';

/** Fits `app.use` of Express 4 and 5, and of connect. */
export type ExpressMiddleware = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * The kit as Express middleware, mounted where you like. Works before and after `express.json()`: a body that has been
 * read already is taken from `req.body`. `req.user` reaches the kit's `authenticate` option. A path that is not the
 * kit's goes on to the next handler.
 *
 * What the kit sees is the raw target below the mount, byte for byte. Express takes the mount off `req.url` without
 * decoding it; Express 4 also takes a second slash after it, which is put back.
 *
 * @example
 * import express from 'express';
 * import { createServerKit } from '@ziggie/llm-server-kit';
 * import { ziggieExpress } from '@ziggie/llm-server-kit/express';
 *
 * const kit = createServerKit({
 *   upstreams: [{ url: 'http://127.0.0.1:11434' }],
 *   auth: { jwt: { secret: process.env.JWT_SECRET ?? '', issuer: false, audience: false } },
 * });
 * const app = express();
 * app.use('/api/llm', ziggieExpress(kit));
 * app.listen(3000);
 *
 * @throws TypeError for a `trustProxy` that trusts everybody.
 */
export function ziggieExpress(kit: ServerKit, options: DoorOptions = {}): ExpressMiddleware {
  const { trustProxy, stallTimeoutMs, clock } = options;
  const listener = ziggieNode(kit, { trustProxy, stallTimeoutMs, clock });
  return (req, res, next) => {
    const { baseUrl = '', originalUrl = '' } = req as { baseUrl?: string; originalUrl?: string };
    const url = req.url ?? '/';
    const below = originalUrl.startsWith(baseUrl) ? originalUrl.slice(baseUrl.length) : '';
    if (below.length <= url.length || !below.endsWith(url)) {
      listener(req, res, next);
      return;
    }
    req.url = below;
    listener(req, res, (error) => {
      req.url = url;
      next(error);
    });
  };
}
