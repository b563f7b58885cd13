import { parseBaseUrl } from '../http/base-url.ts';
import { type ClientTransport, transportOver } from '../internals.ts';
import { part } from '../part.ts';

/**
 * Several hosts of the same kind behind one client, directly: Ollamas, or servers that speak like OpenAI's.
 *
 * ```ts
 * const client = createClient({ baseUrl: 'http://gpu-1:11434', target: 'ollama', transport: severalHosts(['http://gpu-2:11434']) });
 * ```
 *
 * Each question goes to a host that holds the model and answers, and on to the next, within the same try, when it cannot
 * be reached or says 502, 503 or 504. One that failed five times in a row rests for 10 s. Lists come from any of them;
 * whatever changes a host goes to `baseUrl`. The credentials are sent to each.
 *
 * @param others The hosts besides `baseUrl`, in the order of preference.
 * @throws {TypeError} for an address that is none, and when used for a kit: its `upstreams` are the place for several.
 */
export function severalHosts(others: readonly string[]): ClientTransport {
  const given = others.map((one) => parseBaseUrl(one, globalThis.location?.href));
  return transportOver({ close() {} }, (settings) => {
    const { target, baseUrl } = settings;
    if (target.name === 'kit') {
      throw new TypeError(
        'Reading transport: severalHosts() is for Ollamas and servers like OpenAI’s. Give a kit several upstreams.',
      );
    }
    const urls = [baseUrl, ...given.map((one) => target.baseUrl(one))];
    // One for all requests: it knows what every host is busy with.
    const hosts = part(() => import('./hosts-transport.ts')).then((loaded) =>
      loaded.hostsTransport(settings, urls),
    );
    hosts.catch(() => {});
    return { ...settings.transport, send: async (request) => (await hosts).send(request) };
  });
}
