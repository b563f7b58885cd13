import { empty } from './answers.ts';
import type { DoorRequest, Outgoing } from './world.ts';

/** What Ollama allows when `OLLAMA_ORIGINS` is not set. */
const allowedOrigins = [
  /^https?:\/\/(localhost|127\.0\.0\.1|0\.0\.0\.0)(:[0-9]+)?$/,
  /^(app|file|tauri|vscode-webview|vscode-file):\/\//,
];

const allowedHeaders =
  'Authorization,Content-Type,User-Agent,Accept,X-Requested-With,OpenAI-Beta,' +
  'X-Stainless-Arch,X-Stainless-Async,X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method,' +
  'X-Stainless-Lang,X-Stainless-Os,X-Stainless-Package-Version,X-Stainless-Poll-Helper,' +
  'X-Stainless-Retry-Count,X-Stainless-Runtime,X-Stainless-Runtime-Version,X-Stainless-Timeout';

/** What cross-origin rules say: an answer that ends the request, or headers to add to whatever it is answered with. */
export function crossOrigin(request: DoorRequest): { answer?: Outgoing; headers: Record<string, string> } {
  const origin = request.headers['origin'];
  const host = request.headers['host'];
  if (!origin || origin === `http://${host}` || origin === `https://${host}`) return { headers: {} };
  // No text and no CORS header: a browser shows an opaque failure.
  if (!allowedOrigins.some((allowed) => allowed.test(origin))) return { answer: empty(403), headers: {} };
  if (request.method !== 'OPTIONS') {
    return { headers: { 'access-control-allow-origin': origin, vary: 'Origin' } };
  }
  const preflight = {
    'access-control-allow-headers': allowedHeaders,
    'access-control-allow-methods': 'GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS',
    'access-control-allow-origin': origin,
    'access-control-max-age': '43200',
    vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
  };
  return { answer: empty(204, preflight), headers: {} };
}
