import ipaddr from 'ipaddr.js';

/** Widest ranges that one's own proxies may fill: 10.0.0.0/8 and a provider's IPv6 /20. */
const widest = { ipv4: 8, ipv6: 20 };
/** More hops than a chain of proxies has. */
const mostHops = 4;

/** Whether a `trustProxy` setting believes more than proxies. */
export function trustsTooMuch(trust: number | readonly string[] | undefined): boolean {
  if (trust === undefined) return false;
  if (typeof trust === 'number') return trust > mostHops;
  return trust.some((entry) => {
    const [address = '', bits] = entry.split('/');
    if (bits === undefined || !ipaddr.isValid(address)) return false;
    const range = ipaddr.parse(address);
    const isPrivate = range.range() !== 'unicast';
    return (
      Number(bits) < widest[range.kind()] ||
      (!isPrivate && Number(bits) < (range.kind() === 'ipv4' ? 16 : 32))
    );
  });
}

const guesses =
  /secret-?key|your-?256|change-?me|passw|super-?secret|top-?secret|default|example-?secret|12345678/i;

/** Whether a secret is easy to guess: few different signs, one piece over and over, or out of a tutorial. */
export function isWeakSecret(secret: string | Uint8Array): boolean {
  const text = typeof secret === 'string' ? secret : Buffer.from(secret).toString('latin1');
  if (new Set(text).size < 12 || guesses.test(text)) return true;
  for (let length = 1; length <= text.length / 2; length++) {
    if (
      text
        .slice(0, length)
        .repeat(Math.ceil(text.length / length))
        .slice(0, text.length) === text
    )
      return true;
  }
  return false;
}

/** Whether an address is reachable from anywhere. */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}

/** Whether several processes like this one run: a cluster's worker, or one of pm2's instances. */
export function isOneOfSeveral(
  isClusterWorker: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return isClusterWorker || (env['NODE_APP_INSTANCE'] !== undefined && env['NODE_APP_INSTANCE'] !== '');
}
