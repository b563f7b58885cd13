import { isIPv6 } from 'node:net';

/**
 * What addresses are counted by: an IPv4 address by itself, IPv6 by its /64, since one customer gets at least that many
 * addresses (RFC 6177). IPv4 inside IPv6 counts as IPv4. Requests without an address share one key.
 */
export function addressKey(address: string): string {
  const known = keys.get(address);
  if (known !== undefined) return known;
  if (keys.size >= maxKeys) keys.clear();
  const key = keyOf(address);
  keys.set(address, key);
  return key;
}

/** The last ones: few addresses ask again and again. */
const keys = new Map<string, string>();
const maxKeys = 1000;

function keyOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1] as string;
  const plain = address.replace(/%.*$/, '');
  if (!isIPv6(plain)) return address === '' ? 'none' : address;
  const groups = expand(plain);
  // `::ffff:c000:201` is 192.0.2.1 in the other spelling; by its /64 all of IPv4 would be one (CVE-2026-30827).
  if (groups.length === 8 && groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff') {
    const [high = 0, low = 0] = groups.slice(6).map((group) => Number.parseInt(group, 16));
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/** The eight groups of an IPv6 address, without leading zeros. */
function expand(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // A dotted end stands for two groups.
  const groups = [...before, ...after].reduce((sum, group) => sum + (group.includes('.') ? 2 : 1), 0);
  const filled =
    tail === undefined
      ? before
      : [...before, ...new Array<string>(Math.max(0, 8 - groups)).fill('0'), ...after];
  return filled.map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
}
