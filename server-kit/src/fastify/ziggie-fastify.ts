import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { type Answer, isAnswer, toResponse } from '../answer/answer.ts';
import type { ServerKit } from '../kit-types.ts';
import { type DoorOptions, openDoor } from '../node/door-options.ts';
import { Exchange } from '../node/exchange.ts';
import { problemResponse } from '../node/problem-response.ts';
import { targetAfterSegments } from '../node/raw-target.ts';
import { ziggieSockets } from '../node/ziggie-sockets.ts';

/** Settings of {@link ziggieFastify}. */
export interface ZiggieFastifyOptions extends DoorOptions {
  kit: ServerKit;
  /** Where the kit is mounted, such as `/api/llm`. Read by Fastify itself. Default: at the root. */
  prefix?: string | undefined;
}

/** What waits between the route's handler and the last `onSend` hook. */
interface Pending {
  exchange: Exchange;
  answer: Response | Answer;
  /** What Fastify was given for it. */
  payload: Response | string;
}

/**
 * The kit as a Fastify 5 plugin. It lives in a scope of its own without body parsers: the host's JSON routes keep
 * theirs. The host's hooks run, `onSend` included; `request.user` reaches the kit's `authenticate` option. A path that
 * is not the kit's gets Fastify's own 404.
 *
 * @example
 * import Fastify from 'fastify';
 * import { createServerKit } from '@ziggie/llm-server-kit';
 * import { ziggieFastify } from '@ziggie/llm-server-kit/fastify';
 *
 * const kit = createServerKit({
 *   upstreams: [{ url: 'http://127.0.0.1:11434' }],
 *   auth: { jwt: { secret: process.env.JWT_SECRET ?? '', issuer: false, audience: false } },
 * });
 * const app = Fastify();
 * app.register(ziggieFastify, { kit, prefix: '/api/llm' });
 * await app.listen({ port: 3000 });
 *
 * @throws TypeError (from `app.ready()` or `app.listen()`) for a `trustProxy` that trusts everybody.
 */
export const ziggieFastify: FastifyPluginAsync<ZiggieFastifyOptions> = async (app, options) => {
  const { kit } = options;
  const door = openDoor(options);
  const mountSegments = app.prefix.split('/').filter((segment) => segment !== '').length;
  const pending = new WeakMap<FastifyReply, Pending>();

  // A mount with parameters has no one path; its host says itself where sockets are (`ziggieSockets`).
  if (/^[A-Za-z0-9._~:/-]*$/.test(app.prefix) && !app.prefix.includes('/:')) {
    let detach = () => {};
    app.addHook('onReady', async () => {
      detach = ziggieSockets(app.server, kit, { ...options, prefix: app.prefix });
    });
    // Fastify waits for its connections to end, and sockets do not end by themselves.
    app.addHook('preClose', async () => detach());
  }

  const answerWith = (reply: FastifyReply, exchange: Exchange, answer: Response | Answer): FastifyReply => {
    const payload = payloadOf(answer);
    pending.set(reply, { exchange, answer, payload });
    if (typeof payload === 'string' && isAnswer(answer)) {
      reply.code(answer.status);
      const { pairs } = answer.headers;
      for (let at = 0; at < pairs.length; at += 2) reply.header(pairs[at] as string, pairs[at + 1]);
    }
    return reply.send(payload);
  };

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
  // Fastify refuses a Content-Type that it cannot read before any parser is asked. All other errors are the host's.
  app.setErrorHandler((error: { code?: unknown }, request, reply) => {
    if (error.code !== 'FST_ERR_CTP_INVALID_MEDIA_TYPE') throw error;
    const exchange = new Exchange(request.raw, reply.raw, door);
    return answerWith(
      reply,
      exchange,
      problemResponse('unsupported_media_type', 'The Content-Type cannot be read.'),
    );
  });

  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const exchange = new Exchange(request.raw, reply.raw, door);
    const target = targetAfterSegments(request.raw.url ?? '/', mountSegments);
    const { user } = request as { user?: unknown };
    const answer = await exchange.ask(kit, { target, user });
    if (answer === undefined) {
      exchange.release();
      reply.callNotFound();
      return reply;
    }
    return answerWith(reply, exchange, answer);
  };

  app.all('/*', {
    handler,
    // A route's own onSend runs after all others. Up to here the answer went Fastify's way, so every hook of the host
    // has seen it. Fastify would now pump the body itself, but it holds the status line back until the first byte,
    // waits forever for a client that stopped reading, answers a failed body with the error's own message, and does
    // not notice a client that leaves while its pipelined request waits. Our bridge does, so it takes over. A payload
    // that a hook has replaced (such as a compressed one) stays with Fastify.
    onSend(_request, reply, payload, next) {
      const waiting = pending.get(reply);
      if (waiting === undefined || payload !== waiting.payload) {
        next(null, payload);
        return;
      }
      pending.delete(reply);
      const { answer, exchange } = waiting;
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value === undefined) continue;
        // What a hook made of one of our fields counts.
        if (isAnswer(answer) && answer.headers.has(name)) answer.headers.set(name, String(value));
        else reply.raw.setHeader(name, value);
      }
      reply.hijack();
      exchange.send(answer);
    },
  });
};

/** What Fastify and the host's hooks see: the text of an answer that is whole, a `Response` for any other. */
function payloadOf(answer: Response | Answer): Response | string {
  if (!isAnswer(answer)) return answer;
  const { body } = answer;
  return body !== null && 'text' in body ? body.text : toResponse(answer);
}
