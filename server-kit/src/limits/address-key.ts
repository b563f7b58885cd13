import { isIPv6 } from 'node:net';

/**
 * What addresses are counted by: an IPv4 address by itself, IPv6 by its /64, since one customer gets at least that many
 * addresses (RFC 6177). IPv4 inside IPv6 counts as IPv4. Requests without an address share one key.
 */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1] as string;
  const plain = address.replace(/%.*$/, '');
  if (!isIPv6(plain)) return address === '' ? 'none' : address;
  return `${expand(plain).slice(0, 4).join(':')}::/64`;
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
