import { type HttpHandler, HttpResponse, http } from 'msw';
import type { Fake } from '../types.ts';

/** Which requests a stand-in answers. */
export interface FakeHandlerOptions {
  /** The origin, with a path before the routes if the app has one: `https://gpu.example/ollama`. */
  baseUrl?: string | undefined;
}

/**
 * Handlers for `setupServer` or `setupWorker` that let a stand-in for Ollama answer whatever goes to `baseUrl`, streams
 * included. Default `http://127.0.0.1:11434` and `http://localhost:11434`.
 */
export function ollamaHandlers(fake: Fake, { baseUrl }: FakeHandlerOptions = {}): HttpHandler[] {
  const bases = baseUrl === undefined ? ['http://127.0.0.1:11434', 'http://localhost:11434'] : [baseUrl];
  return bases.flatMap((base) => handlersFor(fake, base));
}

/** The same for a stand-in that speaks OpenAI's dialect. Default `https://api.openai.com`; its routes begin with `/v1`. */
export function openAiHandlers(fake: Fake, { baseUrl = 'https://api.openai.com' }: FakeHandlerOptions = {}) {
  return handlersFor(fake, baseUrl);
}

function handlersFor(fake: Fake, baseUrl: string): HttpHandler[] {
  const base = baseUrl.replace(/\/+$/, '');
  const prefix = new URL(base).pathname.replace(/\/$/, '');
  const answer = async ({ request }: { request: Request }): Promise<Response> => {
    const url = new URL(request.url);
    url.pathname = url.pathname.slice(prefix.length) || '/';
    try {
      const response = await fake.fetch(new Request(url, request), { redirect: 'manual' });
      // Without a framing MSW's socket in Node has no way to tell a body that breaks off from one that ends.
      if (response.body && !response.headers.has('content-length')) {
        response.headers.set('transfer-encoding', 'chunked');
      }
      return response;
    } catch {
      // A cut before the status line, a refused connection: what fetch reports as a network error.
      return HttpResponse.error();
    }
  };
  return [http.all(`${base}/*`, answer), http.all(base, answer)];
}
