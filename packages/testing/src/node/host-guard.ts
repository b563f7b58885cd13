import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

const localEndings = ['.localhost', '.local', '.internal'];
const privateOrLoopback = [
  /^127\./,
  /^10\./,
  /^192\.168\./,
  /^172\.(1[6-9]|2\d|3[01])\./,
  /^0\.0\.0\.0$/,
  /^::1?$/,
  /^f[cd][0-9a-f]{2}:/,
];

/** Whether a server bound to this address checks the `Host` header: only one bound to loopback does. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

/** Ollama's guard against DNS rebinding: local names, the machine's own name, loopback, private and own addresses. */
export function isAllowedHost(header: string | undefined): boolean {
  const host = withoutPort(header ?? '').toLowerCase();
  if (isIP(host)) return privateOrLoopback.some((range) => range.test(host)) || isOwnAddress(host);
  return (
    host === '' ||
    host === 'localhost' ||
    host === hostname().toLowerCase() ||
    localEndings.some((ending) => host.endsWith(ending))
  );
}

function withoutPort(header: string): string {
  const bracketed = /^\[([^\]]*)\](:\d+)?$/.exec(header);
  return bracketed?.[1] ?? header.replace(/:\d+$/, '');
}

function isOwnAddress(host: string): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === host),
  );
}
