import type { ChatRequest, GenerateRequest } from '@ziggie/llm-protocol';
import { checkCall, checkRequest } from './check-arguments.ts';
import { withSettings } from './internals.ts';
import { part } from './part.ts';
import { IDLE_WITH_STRUCTURE_MS } from './settings.ts';
import { settingsOf } from './settings-of.ts';
import type { AnswerRequest } from './stream/answer-attempt.ts';
import { answerStream } from './stream/answer-stream.ts';
import type { Speech } from './targets/target.ts';
import { targetOf } from './targets/targets.ts';
import type { CallOptions, ChatStream, ClientOptions, ZiggieClient } from './types.ts';

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
    request: ChatRequest | GenerateRequest,
    call: CallOptions,
  ): ChatStream {
    checkCall(call);
    const { model, format } = request;
    const structured = format !== undefined || ('tools' in request && request.tools?.length);
    const resume = target.name === 'kit' && (call.resume ?? settings.resume) ? { resume: true } : {};
    const write = (speech: Speech, asked: object): AnswerRequest => {
      const { path, body } = speech[operation](asked as ChatRequest & GenerateRequest);
      const decoder = () => speech.decoder(model);
      return { operation, path, body: JSON.stringify({ ...body, ...resume }), model, decoder };
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

  const client: ZiggieClient = {
    target: target.name,
    baseUrl,
    chat(request, call = {}) {
      checkRequest(request, 'messages');
      return answer('chat', request, call);
    },
    generate(request, call = {}) {
      checkRequest(request, 'prompt');
      return answer('generate', request, call);
    },
    embed(request, call = {}) {
      const asked = { ...request, input: [request.input].flat() };
      return aside(call, ({ embed }) => embed(settings, asked, call));
    },
    models: {
      list(call = {}) {
        return aside(call, ({ listModels }) => listModels(settings, call));
      },
    },
    status(call = {}) {
      return aside(call, ({ readStatus }) => readStatus(settings, call));
    },
    async version(call = {}) {
      return (await client.status(call)).version;
    },
  };
  return withSettings(client, settings);
}

type SideCalls = typeof import('./call/side-calls.ts');

function aside<T>(call: CallOptions, ask: (calls: SideCalls) => Promise<T>): Promise<T> {
  checkCall(call);
  return part(() => import('./call/side-calls.ts')).then(ask);
}
