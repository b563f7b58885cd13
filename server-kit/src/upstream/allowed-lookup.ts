import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { AllowedHosts } from '../discovery/allowed-hosts.ts';

/** The addresses of a name that may be connected to. Looked at for each connection: what a name leads to changes. */
export function lookupWithin(allowed: AllowedHosts): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, '');
      const good = addresses.filter(({ address }) => allowed.mayConnect(hostname, address));
      const [first] = good;
      if (first === undefined) {
        const refused: NodeJS.ErrnoException = new Error('The name leads to no address that is allowed.');
        refused.code = 'ADDRESS_NOT_ALLOWED';
        return callback(refused, '');
      }
      return options.all ? callback(null, good) : callback(null, first.address, first.family);
    });
  };
}
