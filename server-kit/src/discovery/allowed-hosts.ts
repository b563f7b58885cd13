import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** RFC 1918, RFC 6598 (shared space, which clusters use) and RFC 4193. */
export const privateNetworks: readonly string[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
];

/** Widest ranges that are taken: beyond them a list says "anywhere". */
const widest = { 4: 8, 6: 7 } as const;
/** Where clouds keep what a machine may know of itself, among others: nothing that is found can lead there. */
const never: ReadonlySet<string> = new Set([
  'linkLocal',
  'multicast',
  'unspecified',
  'broadcast',
  'reserved',
]);
const hostName =
  /^(?:\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$/;
/** Where clouds tell a machine about itself and that do not lie in those: some of them are in private or shared space. */
const metadata: ReadonlySet<string> = new Set([
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '168.63.129.16',
]);

/** Whether an entry of a list of hosts and networks can be one. */
export function isAllowEntry(entry: string): boolean {
  const [address = '', bits, ...more] = entry.split('/');
  const family = isIP(address);
  if (family === 0) return bits === undefined && !/^[\d.]+$/.test(entry) && hostName.test(entry);
  if (more.length > 0) return false;
  if (bits === undefined) return true;
  return (
    /^\d{1,3}$/.test(bits) &&
    Number(bits) >= widest[family as 4 | 6] &&
    Number(bits) <= (family === 4 ? 32 : 128)
  );
}

/** Which hosts and addresses what was found may be at: otherwise whoever writes a registry decides whom the kit talks to. */
export class AllowedHosts {
  readonly #networks = new BlockList();
  readonly #names = new Set<string>();
  readonly #domains: string[] = [];
  /** Equal for equal lists: connections that were made under another one are not kept. */
  readonly key: string;

  /** @param entries As {@link isAllowEntry} takes them. */
  constructor(entries: readonly string[]) {
    this.key = [...entries].sort().join(' ');
    for (const entry of entries) {
      const [address = '', bits] = entry.split('/');
      const family = isIP(address);
      if (family !== 0) {
        const type = family === 4 ? 'ipv4' : 'ipv6';
        this.#networks.addSubnet(address, Number(bits ?? (family === 4 ? 32 : 128)), type);
      } else if (entry.startsWith('*.')) this.#domains.push(plain(entry.slice(1)));
      else this.#names.add(plain(entry));
    }
  }

  /** Whether a server at this URL may be taken at all. A name that is not listed may: its addresses are looked at later. */
  mayHave(url: URL): boolean {
    const host = bare(url.hostname);
    return isIP(host) === 0 || this.mayConnect(host, host);
  }

  /** Whether a server at this URL may be connected to whatever a name leads to: it is an address. */
  surelyHas(url: URL): boolean {
    return isIP(bare(url.hostname)) !== 0 && this.mayHave(url);
  }

  /** Whether a connection to a host may go to this address, which its name has led to. */
  mayConnect(host: string, address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    const text = parsed.toString();
    const range = parsed.range();
    if (leadsAstray(parsed)) return false;
    if (this.#networks.check(text, parsed.kind())) return true;
    return range !== 'loopback' && this.#isListed(bare(host));
  }

  #isListed(host: string): boolean {
    const name = plain(host);
    return this.#names.has(name) || this.#domains.some((domain) => name.endsWith(domain));
  }
}

/** Whether an address is none that any list can mean, itself or as what it is translated to on the way. */
function leadsAstray(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (never.has(address.range()) || metadata.has(address.toString())) return true;
  if (address instanceof ipaddr.IPv4) return false;
  const within = translated(address.toByteArray());
  if (within === undefined) return false;
  if (within === 'anything') return true;
  const inner = new ipaddr.IPv4(within);
  return inner.range() === 'loopback' || leadsAstray(inner);
}

/**
 * The IPv4 address that an IPv6 address stands for: NAT64 (RFC 6052, RFC 8215), SIIT (RFC 7915) and 6to4 (RFC 3056). Teredo
 * (RFC 4380) hides it, and the form `::a.b.c.d` is long forbidden: those may lead anywhere.
 */
function translated(bytes: readonly number[]): number[] | 'anything' | undefined {
  const begins = (...head: number[]) => head.every((byte, at) => bytes[at] === byte);
  if (begins(0x00, 0x64, 0xff, 0x9b)) return bytes.slice(12);
  if (begins(0x20, 0x02)) return bytes.slice(2, 6);
  if (begins(0x20, 0x01, 0x00, 0x00)) return 'anything';
  if (!begins(0, 0, 0, 0, 0, 0, 0, 0)) return undefined;
  if (bytes[8] === 0xff && bytes[9] === 0xff) return bytes.slice(12);
  // `::1` has a range of its own.
  return bytes.slice(8, 15).every((byte) => byte === 0) ? undefined : 'anything';
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
