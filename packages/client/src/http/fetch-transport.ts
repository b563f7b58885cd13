import type { ByteSource, Transport } from './transport.ts';

/** Carries requests with a `fetch`: the platform's, a test's, or one that signs. */
export function fetchTransport(fetch: typeof globalThis.fetch): Transport {
  return {
    reportsConnection: false,
    async send({ method, url, headers, body, signal }) {
      const response = await fetch(url, {
        method,
        headers,
        body: (body as BodyInit | undefined) ?? null,
        signal,
        redirect: 'manual',
        // The word that a run is not wanted any more has to outlive a page that is closed.
        keepalive: method === 'DELETE',
      });
      return {
        // Browsers hide a redirect behind status 0.
        status: response.type === 'opaqueredirect' ? 302 : response.status,
        header: (name) => response.headers.get(name) ?? undefined,
        body: readBody(response.body),
      };
    },
  };
}

function readBody(stream: ReadableStream<Uint8Array> | null): ByteSource {
  const reader = stream?.getReader();
  return {
    read: () => (reader ? reader.read() : Promise.resolve({})),
    // Cancelling a body that failed already rejects with that same failure, which its reader has seen.
    close: () => void reader?.cancel().catch(() => {}),
  };
}
