import { isObject } from '../ollama/request-body.ts';
import type { Asked } from './script-book.ts';

/** What a request asks, read from its body without judging it. */
export function askedBy(path: string, body: string, canonical: (name: string) => string): Asked {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = undefined;
  }
  if (!isObject(value)) return { model: '', text: '', path };
  const model = value['model'] ?? value['name'];
  return { model: typeof model === 'string' ? canonical(model) : '', text: lastWords(value), path };
}

function lastWords({ messages, prompt, input }: Record<string, unknown>): string {
  if (typeof prompt === 'string') return prompt;
  if (typeof input === 'string') return input;
  const list = Array.isArray(messages) ? messages : Array.isArray(input) ? input : [];
  const last = list.findLast((message) => isObject(message) && message['role'] === 'user');
  return isObject(last) ? textOf(last['content']) : '';
}

/** The text of a content that is a string or a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
}
