// Who asks in the measurements: a secret that the kit is given, a token signed by it, and a POST over a socket or straight
// into a kit of this process.
import { createHmac } from 'node:crypto';
import { request } from 'node:http';

export const secret = 'wF3v9Qm1xZk7Lr2TbN8yHs5DcJ6pGa4U+eK0iOqXnYt=';

/** A token of ten hours. */
export function tokenOf(user = 'ada') {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 36_000;
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user, roles: ['user'], exp })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** Sends a body as JSON; resolves with the answer once its head is here, whatever its status. */
export function post({ port }, path, body, { agent, token }) {
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, resolve)
      .on('error', reject)
      .end(text);
  });
}

/** As a door would hand it in: a POST with a body, else a GET. */
export function handle(kit, target, body) {
  const headers = {
    host: 'x',
    origin: 'http://x',
    ...(body ? { 'content-type': 'application/json' } : {}),
  };
  const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers };
  return kit.handle(new Request(`http://x${target}`, init), {
    remoteAddress: '127.0.0.1',
    encrypted: false,
    target,
    rawHeaders: Object.entries(headers).flat(),
  });
}
