import { embedInputs } from '../ollama/embed.ts';
import { HttpFailure } from '../ollama/http-failure.ts';
import { chanceOf, embeddingList, nowS } from '../ollama/openai-routes.ts';
import { readMessages } from '../ollama/prompt.ts';
import { RequestBody } from '../ollama/request-body.ts';
import { respond } from '../ollama/respond.ts';
import type { Incoming, Outgoing, World } from '../ollama/world.ts';
import { openAiChatSurface, openAiJson } from './chat-surface.ts';
import { completionSurface } from './completion-surface.ts';
import { findModel } from './find-model.ts';
import { readOpenAiChat } from './read-chat.ts';
import { readOpenAiCompletion } from './read-completion.ts';
import type { OpenAiServer } from './server.ts';

const noMessages: Record<OpenAiServer['profile']['name'], string> = {
  ollama: '',
  vllm: 'list index out of range',
  'llama.cpp': "'messages' is required",
  openai:
    "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
};

/** `POST /v1/chat/completions` */
export async function answerChatCompletion(
  server: OpenAiServer,
  world: World,
  incoming: Incoming,
): Promise<Outgoing> {
  const { profile } = server;
  const body = await readBody(incoming);
  const model = findModel(server, world, body['model']);
  if (!model.capabilities.includes('completion')) {
    throw new HttpFailure(400, 'The model does not support Chat Completions API');
  }
  const { native, includeUsage } = readOpenAiChat(body, {
    // These servers take the effort as a hint: whether the model thinks is its own affair.
    thinkOf: (effort) => effort !== 'none',
    readsMaxCompletionTokens: true,
    noMessages: noMessages[profile.name],
  });
  const thinks = model.capabilities.includes('thinking');
  const messages = readMessages(native['messages'] as unknown[]);
  const options = { ...(native['options'] as object), num_ctx: model.contextLength };
  const random = chanceOf(body);
  const ids = new Map<string, string>();
  return respond(world, incoming, {
    body: RequestBody.of({ ...native, options, think: thinks && native['think'] !== false }, 'ChatRequest'),
    model,
    modelAsGiven: model.displayName,
    keepAliveMs: undefined,
    messages,
    earlierTokens: 0,
    tooLong: (tokens) => contextExceeded(profile.name, tokens, model.contextLength),
    surface: ({ topLogprobs }) =>
      openAiChatSurface({
        profile,
        id: profile.chatId(random),
        createdS: nowS(world),
        model: model.displayName,
        includeUsage,
        topLogprobs,
        toolCallId(piece) {
          const id = ids.get(piece.id) ?? profile.toolCallId(random);
          ids.set(piece.id, id);
          return id;
        },
      }),
  });
}

/** `POST /v1/completions` */
export async function answerCompletion(
  server: OpenAiServer,
  world: World,
  incoming: Incoming,
): Promise<Outgoing> {
  const { profile } = server;
  const body = await readBody(incoming);
  const model = findModel(server, world, body['model']);
  const { native, includeUsage, prompt } = readOpenAiCompletion(body);
  const options = { ...(native['options'] as object), num_ctx: model.contextLength };
  const random = chanceOf(body);
  return respond(world, incoming, {
    body: RequestBody.of({ ...native, options, think: false }, 'GenerateRequest'),
    model,
    modelAsGiven: model.displayName,
    keepAliveMs: undefined,
    messages: [{ role: 'user', content: prompt, imageCount: 0 }],
    earlierTokens: 0,
    tooLong: (tokens) => contextExceeded(profile.name, tokens, model.contextLength),
    surface: () =>
      completionSurface({
        profile,
        id: profile.chatId(random).replace('chatcmpl', profile.name === 'llama.cpp' ? 'chatcmpl' : 'cmpl'),
        createdS: nowS(world),
        model: model.displayName,
        includeUsage,
      }),
  });
}

/** `POST /v1/embeddings` */
export async function answerEmbeddings(
  server: OpenAiServer,
  world: World,
  incoming: Incoming,
): Promise<Outgoing> {
  const body = await readBody(incoming);
  const model = findModel(server, world, body['model']);
  if (!model.capabilities.includes('embedding')) {
    throw new HttpFailure(400, 'The model does not support Embeddings API');
  }
  const embedded = await embedInputs(
    world,
    incoming,
    RequestBody.of({ ...body, model: model.displayName, truncate: false }, 'EmbedRequest'),
  );
  incoming.onRecord();
  incoming.onComplete();
  return openAiJson(
    server.profile,
    embeddingList(embedded, model.displayName, body['encoding_format'] === 'base64'),
  );
}

export async function readBody(incoming: Incoming): Promise<Record<string, unknown>> {
  return RequestBody.parse((await incoming.readText()) || '{}', 'ChatCompletionRequest').members;
}

/** A prompt that is longer than the window, in each server's own words. */
function contextExceeded(name: OpenAiServer['profile']['name'], tokens: number, length: number): HttpFailure {
  if (name === 'llama.cpp') {
    return new HttpFailure(
      400,
      `request (${tokens} tokens) exceeds the available context size (${length} tokens), try increasing it`,
      { members: { type: 'exceed_context_size_error', n_prompt_tokens: tokens, n_ctx: length } },
    );
  }
  return new HttpFailure(
    400,
    `This model's maximum context length is ${length} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`,
    { param: 'messages', code: 'context_length_exceeded' },
  );
}
