import type { Transport } from '../http/transport.ts';
import { part } from '../part.ts';
import type { Settings } from '../settings.ts';

/**
 * A transport over several hosts. How one is chosen is loaded with the first request: most clients have one.
 *
 * @param urls All of them, the client's own `baseUrl` first.
 */
export function severalHosts(settings: Settings, urls: readonly string[]): Transport {
  const { transport: inner, target } = settings;
  if (target.name === 'kit') {
    throw new TypeError(
      'Reading baseUrl: give one for a kit. Its "upstreams" are the place for several hosts.',
    );
  }
  let made: Promise<Transport> | undefined;
  return {
    reportsConnection: inner.reportsConnection,
    async send(request) {
      // One for all requests, those that come while it is loaded included: it knows what every host is busy with.
      made ??= part(() => import('./hosts-transport.ts')).then((hosts) =>
        hosts.hostsTransport(settings, inner, urls),
      );
      made.catch(() => {
        made = undefined;
      });
      return (await made).send(request);
    },
  };
}
