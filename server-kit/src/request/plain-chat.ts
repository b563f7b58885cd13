import { maxMessages, maxNameLength, roles } from './chat-bounds.ts';
import type { ChatBody } from './chat-shape.ts';

type Message = ChatBody['messages'][number];

const known: ReadonlySet<unknown> = new Set(roles);

/**
 * A chat of nothing but a model, messages of role and content, and `stream`, which is what most are: checked by hand, for a
 * fifth of what the schema costs. `undefined` for anything else, be it good or bad: the schema judges it, and has the words.
 *
 * What it gives is what the schema gives.
 */
export function plainChat(value: unknown): ChatBody | undefined {
  if (!isPlain(value)) return undefined;
  const { model, messages, stream } = value;
  const isStreamSaid = 'stream' in value;
  if (Object.keys(value).length !== (isStreamSaid ? 3 : 2)) return undefined;
  if (typeof model !== 'string' || model.length < 1 || model.length > maxNameLength) return undefined;
  if (isStreamSaid && typeof stream !== 'boolean') return undefined;
  if (!Array.isArray(messages) || messages.length < 1 || messages.length > maxMessages) return undefined;
  const checked: Message[] = [];
  for (const message of messages as unknown[]) {
    if (!isPlain(message) || Object.keys(message).length !== 2) return undefined;
    const { role, content } = message;
    if (typeof content !== 'string' || !known.has(role)) return undefined;
    checked.push({ role: role as Message['role'], content });
  }
  return isStreamSaid
    ? { model, stream: stream as boolean, messages: checked }
    : { model, messages: checked };
}

/** An object as `JSON.parse` makes them, with nothing behind it. */
function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
