import type { ChatRequest, GenerateRequest } from '@ziggie/llm-protocol';
import { checkCall, checkRequest } from './check-arguments.ts';
import type { EmbedRequest } from './embed/types.ts';
import { withSettings } from './internals.ts';
import { part } from './part.ts';
import { IDLE_WITH_STRUCTURE_MS } from './settings.ts';
import { settingsOf } from './settings-of.ts';
import type { AnswerRequest } from './stream/answer-attempt.ts';
import { answerStream } from './stream/answer-stream.ts';
import type { Speech } from './targets/target.ts';
import { targetOf } from './targets/targets.ts';
import type { CallOptions, ChatStream, ClientOptions, ZiggieClient } from './types.ts';

type SideCalls = typeof import('./call/side-calls.ts');

/**
 * A client for one server: the kit (default), or Ollama itself with `target: 'ollama'`.
 *
 * ```ts
 * const client = createClient({ baseUrl: 'http://127.0.0.1:11434', target: 'ollama' });
 * for await (const event of client.chat({ model: 'llama3.2', messages: [{ role: 'user', content: 'Hello' }] })) {
 *   if (event.type === 'text-delta') process.stdout.write(event.text);
 * }
 * ```
 *
 * @throws {TypeError} for wrong options and requests, at once and before anything is sent. Every later failure is a
 *   `ZiggieError`.
 */
export function createClient(options: ClientOptions): ZiggieClient {
  const settings = settingsOf(options, targetOf(options));
  const { target, baseUrl } = settings;

  function answer(
    operation: 'chat' | 'generate',
    content: 'messages' | 'prompt',
    request: ChatRequest | GenerateRequest,
    call: CallOptions = {},
  ): ChatStream {
    checkRequest(request, content);
    checkCall(call);
    const { model, format } = request;
    const structured = format !== undefined || ('tools' in request && request.tools?.length);
    // Left out of the JSON where it is not asked for.
    const resume = (target.name === 'kit' && (call.resume ?? settings.resume)) || undefined;
    const write = (speech: Speech, asked: object): AnswerRequest => {
      const { path, body } = speech[operation](asked as ChatRequest & GenerateRequest);
      const decoder = () => speech.decoder(model);
      return { operation, path, body: JSON.stringify({ ...body, resume }), model, decoder };
    };
    // Written down now: what the caller does to the request later changes nothing.
    const speech = target.speech(operation);
    let written: AnswerRequest | Promise<AnswerRequest>;
    if (speech instanceof Promise) {
      const asked = JSON.parse(JSON.stringify(request)) as object;
      written = speech.then((dialect) => write(dialect, asked));
      // Whoever reads the answer is told.
      written.catch(() => {});
    } else written = write(speech, request);
    return answerStream(
      settings,
      { operation, model, written },
      call,
      structured ? IDLE_WITH_STRUCTURE_MS : undefined,
    );
  }

  /** What is no streamed answer. The request, where there is one, is a copy: what becomes of the caller's changes nothing. */
  function aside<Name extends keyof SideCalls>(
    name: Name,
    call: CallOptions = {},
    request?: EmbedRequest,
  ): ReturnType<SideCalls[Name]> {
    checkCall(call);
    const done = part(() => import('./call/side-calls.ts')).then(
      (calls): Promise<unknown> => calls[name](settings, call, request as EmbedRequest),
    );
    return done as ReturnType<SideCalls[Name]>;
  }

  const client: ZiggieClient = {
    target: target.name,
    baseUrl,
    chat: (request, call) => answer('chat', 'messages', request, call),
    generate: (request, call) => answer('generate', 'prompt', request, call),
    embed: (request, call) => aside('embed', call, { ...request, input: [request.input].flat() }),
    models: {
      list: (call) => aside('listModels', call),
    },
    status: (call) => aside('readStatus', call),
    version: (call) => aside('readVersion', call),
  };
  return withSettings(client, settings);
}
