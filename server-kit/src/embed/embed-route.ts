import type { DoneEvent, UsageEvent } from '@ziggie/llm-protocol';
import { type Answer, jsonAnswer } from '../answer/answer.ts';
import type { AnswerRun } from '../answer/answer-run.ts';
import type { Connection } from '../connection.ts';
import type { RequestContext } from '../context.ts';
import { tooLarge } from '../request/read-body.ts';
import { type AnswerParts, answerWith, type Read } from '../routes/answer-with.ts';
import { contentFacts, type Task } from '../routes/task.ts';
import { upstreamFailure } from '../upstream/failures.ts';
import type { UpstreamDialect } from '../upstreams/upstream-settings.ts';
import type { EmbedBody } from './embed-body.ts';
import { EmbedDecoder } from './embed-decoder.ts';
import { type EmbedAsked, type Embedded, readEmbed } from './embed-form.ts';

interface EmbedForm extends EmbedAsked {
  /** The vectors of the try that answered. */
  vectors: () => readonly (readonly number[])[];
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
    return { task, form: { ...asked, vectors: () => decoder?.vectors ?? [] } };
  };
  return answerWith(parts, request, connection, context, read, async (run, form) => {
    const { usage, done } = await endOf(run);
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

function embedTask(body: EmbedBody, onDecoder: (decoder: EmbedDecoder) => void): Task {
  const { model: asked, input } = body;
  const bytes = input.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return {
    asked,
    size: { bytes, messages: input.length, images: 0 },
    wantedTokens: 0,
    holdsBack: false,
    isWritten: false,
    promptParts: () => [],
    callFor: (dialect, model) => embedCall(dialect, model, body),
    decoderFor: (dialect) => {
      const decoder = new EmbedDecoder(dialect, input.length, Math.ceil(bytes / 4));
      onDecoder(decoder);
      return decoder;
    },
  };
}

function embedCall(dialect: UpstreamDialect, model: string, { input, dimensions, truncate }: EmbedBody) {
  return dialect === 'ollama'
    ? { path: '/api/embed', body: JSON.stringify({ model, input, dimensions, truncate }) }
    : { path: '/embeddings', body: JSON.stringify({ model, input, dimensions, encoding_format: 'float' }) };
}

async function endOf(run: AnswerRun): Promise<{ usage: UsageEvent; done: DoneEvent }> {
  let usage: UsageEvent | undefined;
  for (;;) {
    for (const event of await run.next()) {
      if (event.type === 'usage') usage = event;
      else if (event.type === 'done' && usage) return { usage, done: event };
    }
    if (run.ended) throw upstreamFailure('truncated', 'ended without vectors');
  }
}
