import type { ChatBody, GenerateBody } from '../request/chat-shape.ts';
import { optionsFor } from '../request/options-policy.ts';
import { canonicalJson } from '../streams/canonical-json.ts';

/**
 * Members that say how an answer travels, or that are not passed on to any model. Everything else belongs to the question,
 * also what a later version adds. `options`, `temperature` and `max_tokens` are read together, as the model gets them; the
 * model stands in the key by the name it has on the upstreams.
 */
const notAsked: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'resume',
  'keep_alive',
  'shift',
  'options',
  'temperature',
  'max_tokens',
]);

/** What is asked of a model. */
export interface Question {
  /** All of it, in one form: equal texts are the same question. */
  text: string;
  /** Whether the model gives the same answer again: it does not sample, or with a seed. */
  isRepeatable: boolean;
  /** The last words of the user, and everything else: for those who ask the same in other words. Absent where there are none. */
  heart(): { words: string; rest: string } | undefined;
}

/** The question of a checked body, whatever the surface it came by. @throws {KitFailure} for options that cannot be. */
export function questionOf(body: ChatBody | GenerateBody): Question {
  const options = optionsFor(body);
  const isRepeatable = options['temperature'] === 0 || options['seed'] !== undefined;
  return { text: textOf(body, options), isRepeatable, heart: () => heartOf(body, options) };
}

function textOf(body: ChatBody | GenerateBody, options: Record<string, unknown>): string {
  const asked = Object.entries(body).filter(([name]) => !notAsked.has(name));
  return canonicalJson({
    kind: 'messages' in body ? 'chat' : 'generate',
    options,
    ...Object.fromEntries(asked),
  });
}

/** Only where the user had the last word. Pictures belong to the rest: they must be the same. */
function heartOf(
  body: ChatBody | GenerateBody,
  options: Record<string, unknown>,
): ReturnType<Question['heart']> {
  if (!('messages' in body)) {
    // With an ending given, or without a template, a prompt is no question.
    if (body.raw || body.suffix !== undefined) return undefined;
    return { words: body.prompt, rest: textOf({ ...body, prompt: '' }, options) };
  }
  const last = body.messages.at(-1);
  if (last?.role !== 'user' || last.content.trim() === '') return undefined;
  const messages = body.messages.with(-1, { ...last, content: '' });
  return { words: last.content, rest: textOf({ ...body, messages }, options) };
}
