import { createClient, type ZiggieClient } from '@ziggie/llm-client';
import { formatHost } from '@ziggie/llm-client/ollama';
import { startFakeOllama } from '@ziggie/llm-testing/node';

/** Who answers. */
export interface Source {
  client: ZiggieClient;
  /** For the first line. */
  label: string;
  isStandIn: boolean;
  close(): Promise<void>;
}

const PROBE_MS = 1_500;

/**
 * The Ollama that was asked for, answering or not; else the one at the usual address; else a stand-in, so that the program
 * can be tried without a model.
 */
export async function connect(host: string | undefined): Promise<Source> {
  if (host !== undefined && host !== '') return toOllama(host);
  const usual = toOllama('127.0.0.1:11434');
  try {
    await usual.client.status({ timeouts: { totalMs: PROBE_MS }, retry: { maxAttempts: 1 } });
    return usual;
  } catch {
    const server = await startFakeOllama();
    return {
      client: createClient({ baseUrl: server.url, target: 'ollama' }),
      label: 'a stand-in with prepared answers: no Ollama answers at 127.0.0.1:11434',
      isStandIn: true,
      close: () => server.close(),
    };
  }
}

function toOllama(host: string): Source {
  const { baseUrl } = formatHost(host);
  return {
    client: createClient({ baseUrl, target: 'ollama' }),
    label: `Ollama at ${baseUrl}`,
    isStandIn: false,
    close: async () => {},
  };
}
