import { type Answer, jsonAnswer } from '../answer/answer.ts';
import { type Vectors, vectorMemo } from '../cache/memo.ts';
import type { Connection } from '../connection.ts';
import type { RequestContext } from '../context.ts';
import { tooLarge } from '../request/read-body.ts';
import { type AnswerParts, answerWith, type Read } from '../routes/answer-with.ts';
import { contentFacts } from '../routes/task.ts';
import type { EmbedBody } from './embed-body.ts';
import type { EmbedDecoder } from './embed-decoder.ts';
import { type EmbedAsked, type Embedded, readEmbed } from './embed-form.ts';
import { embedTask, endOfEmbedding } from './embed-task.ts';

interface EmbedForm extends EmbedAsked {
  /** The vectors, once the answer has ended. */
  vectors: () => Vectors;
}

/**
 * The addresses that turn texts into vectors: the same way as a prompt's, with the same limits, quotas and places.
 *
 * @throws {KitFailure}
 */
export function embedRoute(
  parts: AnswerParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<Answer> {
  const read = async (value: unknown, bytes: number): Promise<Read<EmbedForm>> => {
    const { maxBodyBytes } = parts.settings.limits;
    if (bytes > maxBodyBytes) throw tooLarge(maxBodyBytes);
    const asked = readEmbed(context.route.path, value);
    const body = await allowedTexts(parts, asked.body, context);
    let decoder: EmbedDecoder | undefined;
    const task = embedTask(body, (made) => {
      decoder = made;
    });
    // Of the try that answered.
    const made = () => decoder?.vectors ?? [];
    if (parts.cache === undefined) return { task, form: { ...asked, vectors: made } };
    const memo = vectorMemo(body, made);
    return { task: { ...task, memo }, form: { ...asked, vectors: memo.vectors } };
  };
  return answerWith(parts, request, connection, context, read, async (run, form) => {
    const { usage, done } = await endOfEmbedding(run);
    const { request: asked, lease } = run;
    const embedded: Embedded = { model: asked.asked, vectors: form.vectors(), usage, done };
    lease.close();
    context.mark('upstream');
    context.log('ok', 200);
    return jsonAnswer(200, JSON.stringify(form.write(embedded)), context.finalHeaders());
  });
}

/** The texts after the operator's rules for content, each like a prompt. */
async function allowedTexts(
  { content }: AnswerParts,
  body: EmbedBody,
  context: RequestContext,
): Promise<EmbedBody> {
  if (!content) return body;
  const facts = contentFacts('embed', body.model, context);
  const input: string[] = [];
  for (const prompt of body.input) {
    const changed = await content.input({ model: body.model, prompt }, facts, asPrompt);
    input.push('prompt' in changed ? changed.prompt : prompt);
  }
  return { ...body, input };
}

/** What a hook made of a text: still a text. */
function asPrompt(value: unknown): { model: string; prompt: string } {
  const { model, prompt } = (value ?? {}) as { model?: unknown; prompt?: unknown };
  if (typeof model === 'string' && typeof prompt === 'string') return { model, prompt };
  throw new TypeError('The hook gave something else than a prompt.');
}
