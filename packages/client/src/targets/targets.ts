import { HEARTBEAT_INTERVAL_MS, NDJSON_CONTENT_TYPE, SSE_CONTENT_TYPE } from '@ziggie/llm-protocol/native';
import { wrong } from '../check-arguments.ts';
import { part } from '../part.ts';
import { loadEventStream } from '../stream/framings.ts';
import type { ClientOptions } from '../types.ts';
import { kitChat } from './kit-chat.ts';
import type { Dialect, Speech, Target, TargetName } from './target.ts';

/** Each in a file of its own. */
const parts = {
  kit: () => import('./kit-dialect.ts'),
  ollama: () => import('./ollama-dialect.ts'),
  openai: () => import('./openai-dialect.ts'),
};
const loaded: { [Name in TargetName]?: Dialect } = {};

/**
 * What a client speaks to. Directly to Ollama no headers of one's own: its CORS list refuses them, and then a browser
 * sends nothing at all.
 *
 * @throws {TypeError} for an unknown one.
 */
export function targetOf({ target: name = 'kit', framing = 'ndjson' }: ClientOptions): Target {
  if (framing !== 'ndjson' && framing !== 'sse') throw wrong('framing', 'give "ndjson" or "sse"');
  if (!Object.hasOwn(parts, name)) throw wrong('target', 'give "kit", "ollama" or "openai"');
  const dialect = async (): Promise<Dialect> => (loaded[name] ??= (await part(parts[name])).dialect);
  const isKit = name === 'kit';
  const isSse = name === 'openai' || (isKit && framing === 'sse');
  // What is not at hand comes while the caller gets ready.
  if (!isKit) dialect().catch(() => {});
  if (isSse) loadEventStream().catch(() => {});
  return {
    name,
    accept: isSse ? SSE_CONTENT_TYPE : NDJSON_CONTENT_TYPE,
    takesOwnHeaders: name !== 'ollama',
    headersWithinMs: isKit ? HEARTBEAT_INTERVAL_MS : undefined,
    baseUrl: (given) => (name === 'openai' && !/\/v\d+[a-z]*\d*(?:\/|$)/.test(given) ? `${given}/v1` : given),
    speech: (operation) =>
      isKit && operation === 'chat' ? (kitChat as Speech) : (loaded[name] ?? dialect()),
    dialect,
  };
}
