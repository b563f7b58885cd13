const DEFAULT_HOST = 'http://127.0.0.1:11434';

/** Where an Ollama listens, and what its address said about who asks. */
export interface Host {
  /** Without user and password. */
  baseUrl: string;
  /** For `Authorization`, when the address carried a user. */
  authorization: string | undefined;
}

/**
 * Reads a host as `ollama` and `OLLAMA_HOST` do: with or without scheme and port (11434, unless a scheme is given), a port
 * alone, an IPv6 address in brackets. `0.0.0.0` is where a server listens, not where one can ask: it becomes 127.0.0.1.
 *
 * @throws {TypeError} when it is no address. A password is never repeated.
 */
export function formatHost(host: string | undefined): Host {
  const given = host?.trim() || DEFAULT_HOST;
  const schemed = given.includes('://');
  let url: URL;
  try {
    url = new URL(given.startsWith(':') ? `http://127.0.0.1${given}` : schemed ? given : `http://${given}`);
  } catch {
    throw new TypeError('Reading host: it is no address. Give one such as "127.0.0.1:11434".');
  }
  // URL drops a port that is its scheme's own, so ":80" has to be looked for in what was given.
  const port = url.port || (/:\d+(?:\/|$)/.test(given.replace(/^\w+:\/\//, '')) || schemed ? '' : '11434');
  const name = url.hostname === '0.0.0.0' ? '127.0.0.1' : url.hostname;
  const { username, password } = url;
  return {
    baseUrl: `${url.protocol}//${name}${port === '' ? '' : `:${port}`}${url.pathname}`.replace(/\/+$/, ''),
    authorization:
      username === ''
        ? undefined
        : `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`,
  };
}
