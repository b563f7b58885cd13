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
/** The addresses at which clouds tell a machine about itself over IPv6; they lie in the private range. */
const metadata: ReadonlySet<string> = new Set(['fd00:ec2::254', 'fd20:ce::254']);

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
    if (never.has(range) || metadata.has(text)) return false;
    if (this.#networks.check(text, parsed.kind())) return true;
    return range !== 'loopback' && this.#isListed(bare(host));
  }

  #isListed(host: string): boolean {
    const name = plain(host);
    return this.#names.has(name) || this.#domains.some((domain) => name.endsWith(domain));
  }
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
