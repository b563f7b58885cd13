import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerKit } from '../kit-types.ts';
import { type DoorOptions, openDoor } from './door-options.ts';
import { Exchange } from './exchange.ts';
import { problemResponse } from './problem-response.ts';
import { checkedPrefix, targetBelow } from './raw-target.ts';

/** Settings of {@link ziggieNode}. */
export interface ZiggieNodeOptions extends DoorOptions {
  /** Where the kit is mounted, such as `/api/llm`. Default: at the root. */
  prefix?: string | undefined;
}

/** A `node:http` listener; with `next` also a connect-style middleware. */
export type NodeListener = (
  req: IncomingMessage,
  res: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/**
 * The kit as a `node:http` listener. A path that is not the kit's goes to `next`, or is answered with 404 when there
 * is none.
 *
 * @example
 * import { createServer } from 'node:http';
 * import { createServerKit } from '@ziggie/llm-server-kit';
 * import { ziggieNode } from '@ziggie/llm-server-kit/node';
 *
 * const kit = createServerKit({
 *   upstreams: [{ url: 'http://127.0.0.1:11434' }],
 *   auth: { jwt: { secret: process.env.JWT_SECRET ?? '', issuer: false, audience: false } },
 * });
 * createServer(ziggieNode(kit, { prefix: '/api/llm' })).listen(3000);
 *
 * @throws TypeError for a `prefix` that is not a plain path and for a `trustProxy` that trusts everybody.
 */
export function ziggieNode(kit: ServerKit, options: ZiggieNodeOptions = {}): NodeListener {
  const door = openDoor(options);
  const prefix = checkedPrefix(options.prefix ?? '');
  return (req, res, next) => {
    const target = targetBelow(req.url ?? '/', prefix);
    if (target === undefined && next !== undefined) {
      next();
      return;
    }
    const exchange = new Exchange(req, res, door);
    if (target === undefined) {
      exchange.send(notFound());
      return;
    }
    const { body, user } = req as { body?: unknown; user?: unknown };
    void exchange.ask(kit, { target, body, user }).then((answer) => {
      if (answer !== undefined || next === undefined) {
        exchange.send(answer ?? notFound());
        return;
      }
      exchange.release();
      next();
    });
  };
}

const notFound = () => problemResponse('not_found', 'There is nothing at this address.');
