import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a model server that counts was asked. */
export interface Asked {
  model: string;
  numPredict: number;
  response: ServerResponse;
}

/** A model server on a real socket that writes one record per token and counts as it is told. */
export interface CountingOllama {
  url: string;
  asked: Asked[];
  /** Tokens that it wrote in all. */
  written: number;
  /** Tokens that it would like to write, whether it obeys `num_predict`, and what its last record says. */
  wants: number;
  obeys: boolean;
  promptTokens: number;
  last: (written: number) => Record<string, unknown>;
  /** Called before each token; a promise makes it wait, `false` ends the answer there without a last record. */
  beforeToken: (at: number) => Promise<boolean | undefined> | boolean | undefined;
  close(): Promise<void>;
}

const models = ['stand-in', 'stand-in-vision'].map((name) => ({
  name: `${name}:latest`,
  model: `${name}:latest`,
  capabilities: ['completion'],
}));

/** Starts one. By default it wants 20 tokens, obeys, and says 7 tokens of prompt and a second of GPU time. */
export async function startCountingOllama(): Promise<CountingOllama> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.method === 'GET') {
      response.end(JSON.stringify({ models, version: '0.33.0' }));
      return;
    }
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => void answer(JSON.parse(text), response));
  });
  const ollama: CountingOllama = {
    url: '',
    asked: [],
    written: 0,
    wants: 20,
    obeys: true,
    promptTokens: 7,
    last: (written) => ({
      prompt_eval_count: ollama.promptTokens,
      prompt_eval_duration: 200_000_000,
      eval_count: written,
      eval_duration: 800_000_000,
      total_duration: 1_000_000_000,
    }),
    beforeToken: () => undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const answer = async (
    body: { model: string; options: { num_predict: number } },
    response: ServerResponse,
  ): Promise<void> => {
    const numPredict = body.options.num_predict;
    ollama.asked.push({ model: body.model, numPredict, response });
    response.setHeader('content-type', 'application/x-ndjson');
    const count = ollama.obeys ? Math.min(ollama.wants, numPredict) : ollama.wants;
    const line = (record: object) => {
      // Only the last record may hold a number that JSON cannot write.
      const json = JSON.stringify({ model: body.model, ...record }).replaceAll('"1e400"', '1e400');
      return response.write(`${json}\n`);
    };
    for (let at = 0; at < count; at++) {
      const go = await ollama.beforeToken(at);
      if (response.destroyed) return;
      if (go === false) {
        response.destroy();
        return;
      }
      ollama.written++;
      line({ message: { role: 'assistant', content: 'word ' }, done: false });
    }
    line({
      message: { role: 'assistant', content: '' },
      done: true,
      done_reason: count < ollama.wants ? 'length' : 'stop',
      ...ollama.last(count),
    });
    response.end();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ollama.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return ollama;
}
