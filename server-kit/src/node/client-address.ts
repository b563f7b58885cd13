import { BlockList, isIP, SocketAddress } from 'node:net';

/**
 * Which proxies in front are believed about the client's address (`X-Forwarded-For`): how many there are, or their
 * addresses and CIDR ranges such as `['10.0.0.0/8', '::1']`. Default: none, the address is the socket's.
 *
 * `true` is refused: it believes whatever the client writes.
 */
export type TrustProxy = number | readonly string[];

/** From the socket's other end and the `X-Forwarded-For` text to the address that counts. */
export type AddressResolver = (socketAddress: string, forwardedFor: string | undefined) => string;

/** One form per address, so that limits count it once: no mapped IPv4, no zone, lower case, shortest IPv6. */
export function canonicalAddress(address: string): string | undefined {
  const known = addresses.get(address);
  if (known !== undefined) return known;
  const canonical = canonicalOf(address);
  if (canonical !== undefined && address.length <= maxKeptLength) {
    if (addresses.size >= maxKept) addresses.clear();
    addresses.set(address, canonical);
  }
  return canonical;
}

/** The last ones: few addresses ask again and again. */
const addresses = new Map<string, string>();
const maxKept = 1000;
const maxKeptLength = 64;

function canonicalOf(address: string): string | undefined {
  const plain = address.replace(/%.*$/s, '').replace(/^::ffff:(?=\d+\.)/i, '');
  const family = isIP(plain);
  if (family === 4) return plain;
  if (family === 0) return undefined;
  const { address: short } = new SocketAddress({ address: plain, family: 'ipv6' });
  return short.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** One entry of `X-Forwarded-For`: an address, alone, with a port, or in brackets. */
function entryAddress(entry: string): string | undefined {
  const text = entry.trim();
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text);
  if (bracketed !== null) return canonicalAddress(bracketed[1] ?? '');
  const withPort = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(text);
  return canonicalAddress(withPort?.[1] ?? text);
}

/**
 * Makes the resolver. The chain is walked from the socket outwards and ends at the first hop that is not trusted;
 * an entry that is not an address ends it before, at the hop that passed it on.
 *
 * @throws TypeError for `true`, for a count that is not a whole number of 0 or more, for an entry that is no address or CIDR.
 */
export function addressResolver(trust: TrustProxy | undefined): AddressResolver {
  const isTrusted = trustTest(trust);
  return (socketAddress, forwardedFor) => {
    let address = canonicalAddress(socketAddress) ?? '';
    if (forwardedFor === undefined) return address;
    const entries = forwardedFor.split(',');
    for (let hop = 0; hop < entries.length && isTrusted(address, hop); hop++) {
      const next = entryAddress(entries[entries.length - 1 - hop] ?? '');
      if (next === undefined) break;
      address = next;
    }
    return address;
  };
}

function trustTest(trust: TrustProxy | undefined): (address: string, hop: number) => boolean {
  if (trust === undefined) return () => false;
  if (typeof trust === 'number') {
    if (!Number.isSafeInteger(trust) || trust < 0) {
      throw new TypeError(`trustProxy must be a whole number of proxies, got ${trust}`);
    }
    return (_address, hop) => hop < trust;
  }
  if (!Array.isArray(trust)) {
    throw new TypeError(
      'trustProxy must be the number of proxies in front or a list of their addresses or CIDRs; anything else would believe what a client writes',
    );
  }
  const list = new BlockList();
  for (const range of trust as readonly unknown[]) addRange(list, range);
  // A Unix socket has no address, so only a count can say that it is a proxy's.
  return (address) => address !== '' && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

// A range of /0 is `true` in other words, so it is refused like that.
function addRange(list: BlockList, range: unknown): void {
  const match = typeof range === 'string' ? /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(range) : null;
  const family = isIP(match?.[1] ?? '');
  const bits = match?.[2] === undefined ? undefined : Number(match[2]);
  if (
    match?.[1] === undefined ||
    family === 0 ||
    bits === 0 ||
    (bits !== undefined && bits > (family === 4 ? 32 : 128))
  ) {
    throw new TypeError(
      `trustProxy lists addresses or CIDRs such as "10.0.0.0/8", got ${JSON.stringify(range)}`,
    );
  }
  list.addSubnet(match[1], bits ?? (family === 4 ? 32 : 128), family === 4 ? 'ipv4' : 'ipv6');
}
