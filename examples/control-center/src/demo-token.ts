import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { SignJWT } from 'jose';

/** Lifetime of a visitor's token, in seconds. */
export const tokenSeconds = 300;
export const issuer = 'ziggie-control-center';
export const audience = 'ziggie-llm';

/**
 * `POST /demo/token`: a five-minute token for whoever asks from this machine, with `?role=admin` one for those who manage
 * models. A real host app hands out tokens after its own sign-in; this route stands in for that and must not exist in
 * production.
 *
 * Only loopback sockets, only with a `Host` that names this machine (a foreign name that resolves here is DNS
 * rebinding), only from our own page.
 */
export function registerDemoToken(app: FastifyInstance, secret: Uint8Array): void {
  app.post('/demo/token', async (request, reply) => {
    const { host, origin } = request.headers;
    const fromHere = isLoopback(request.socket.remoteAddress) && host !== undefined && isLoopbackHost(host);
    if (!fromHere || (origin !== undefined && origin !== `http://${host}`)) {
      return reply.code(403).send({ error: 'Tokens of the demo are given to this machine only.' });
    }
    const { role } = request.query as { role?: unknown };
    const isAdmin = role === 'admin';
    const token = await new SignJWT({ roles: isAdmin ? ['user', 'admin'] : ['user'] })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(isAdmin ? 'demo-admin' : 'demo-visitor')
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(`${tokenSeconds} s`)
      .sign(secret);
    return reply.header('cache-control', 'no-store').send({ token });
  });
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || (isIP(name) !== 0 && isLoopback(name));
}
