import { isIP } from 'node:net';
import { startFakeOllama } from '@ziggie/llm-testing/node';

/** Where the answers of this demo come from, as the page tells its visitor. */
export interface Source {
  kind: 'ollama' | 'stand-in';
  /** `unreachable` and `no-models` only for a real Ollama. */
  state: 'ok' | 'unreachable' | 'no-models';
  /** Shown to the visitor: they started this server themselves. */
  address: string;
}

/** The chosen model server: its URL, what is known of it right now, and how to end what was started for it. */
export interface Upstream {
  url: string;
  describe(): Promise<Source>;
  close(): Promise<void>;
}

const usualAddress = 'http://127.0.0.1:11434';
const probeTimeoutMs = 1500;

/**
 * A real Ollama when `OLLAMA_HOST` is set (answering or not: no silent change to something else) or when one answers at
 * its usual address; else the stand-in, on a free port.
 */
export async function chooseUpstream(env: Readonly<Record<string, string | undefined>>): Promise<Upstream> {
  const wanted = env['OLLAMA_HOST']?.trim();
  if (wanted) return realOllama(parseOllamaHost(wanted));
  const usual = realOllama(usualAddress);
  if ((await usual.describe()).state !== 'unreachable') return usual;
  return standIn(Number(env['STAND_IN_LOAD_MS'] ?? 1500));
}

/**
 * The URL that `OLLAMA_HOST` means, read as Ollama's own command does (envconfig.Host): quotes and spaces around it go;
 * host and port may be left out; without a scheme the port is 11434, with one it is the scheme's own. An address to
 * listen on (0.0.0.0, [::]) becomes one to talk to.
 *
 * @throws {TypeError} when it is no address.
 */
export function parseOllamaHost(text: string): string {
  const wanted = text.trim().replace(/^["'\s]+|["'\s]+$/g, '');
  const scheme = /^https?:\/\//i.exec(wanted)?.[0];
  const rest = wanted.slice(scheme?.length ?? 0);
  // An IPv6 address without brackets, or a port alone.
  const host = isIP(rest) === 6 ? `[${rest}]` : rest.startsWith(':') ? `127.0.0.1${rest}` : rest;
  let url: URL;
  try {
    url = new URL(`${scheme ?? 'http://'}${host}`);
  } catch {
    throw notAnAddress(text);
  }
  // A scheme that is not http(s) would be read as a host, and what is not said here would go there.
  if (wanted.includes('://') && scheme === undefined) throw notAnAddress(text);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw notAnAddress(text);
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  const namesItsPort = /^(?:\[[^\]]*\]|[^:/]*):\d+/.test(host);
  if (scheme === undefined && !namesItsPort) url.port = '11434';
  return url.href.replace(/\/+$/, '');
}

function notAnAddress(text: string): TypeError {
  // What stands before an @ is a secret.
  const shown = text.replace(/[^/]*@/, '');
  return new TypeError(`OLLAMA_HOST is "${shown}", which is no address. Write it like 127.0.0.1:11434.`);
}

function realOllama(url: string): Upstream {
  return {
    url,
    async describe() {
      const source: Source = { kind: 'ollama', state: 'unreachable', address: url };
      try {
        const response = await fetch(`${url}/api/tags`, {
          signal: AbortSignal.timeout(probeTimeoutMs),
          redirect: 'error',
        });
        if (!response.ok) return source;
        const { models } = (await response.json()) as { models?: unknown[] };
        source.state = Array.isArray(models) && models.length > 0 ? 'ok' : 'no-models';
      } catch {
        // Nothing answers there, or something that is not Ollama: said as unreachable.
      }
      return source;
    },
    async close() {},
  };
}

async function standIn(loadMs: number): Promise<Upstream> {
  const server = await startFakeOllama({
    tokensPerSecond: 40,
    loadMs,
    prefillMsPerToken: 2,
    slotsPerModel: 2,
  });
  return {
    url: server.url,
    describe: async () => ({ kind: 'stand-in', state: 'ok', address: server.url }),
    close: () => server.close(),
  };
}
