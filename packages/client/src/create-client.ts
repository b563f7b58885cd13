import type { ChatRequest, GenerateRequest } from '@ziggie/llm-protocol';
import { callJson } from './call/call-json.ts';
import { checkCall, checkEmbedRequest, checkRequest } from './check-arguments.ts';
import { embed } from './embed/embed.ts';
import { withSettings } from './internals.ts';
import { IDLE_WITH_STRUCTURE_MS } from './settings.ts';
import { settingsOf } from './settings-of.ts';
import { AnswerStream } from './stream/answer-stream.ts';
import { kitSseTarget, kitTarget } from './targets/kit.ts';
import { ollamaTarget } from './targets/ollama.ts';
import { openAiTarget } from './targets/openai.ts';
import type { Question, Target } from './targets/target.ts';
import type { CallOptions, ClientOptions, ZiggieClient } from './types.ts';

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
    { path, body }: Question,
    call: CallOptions,
  ): AnswerStream {
    checkCall(call);
    const structured =
      request.format !== undefined || ('tools' in request && (request.tools?.length ?? 0) > 0);
    const resume = target.name === 'kit' && (call.resume ?? settings.resume) ? { resume: true } : {};
    return new AnswerStream(
      settings,
      // Written down now: what the caller does to the request later changes nothing.
      { operation, path, body: JSON.stringify({ ...body, ...resume }), model: request.model },
      call,
      structured ? IDLE_WITH_STRUCTURE_MS : undefined,
    );
  }

  const client: ZiggieClient = {
    target: target.name,
    baseUrl,
    chat(request, call = {}) {
      checkRequest(request, 'messages');
      return answer('chat', request, target.chat(request), call);
    },
    generate(request, call = {}) {
      checkRequest(request, 'prompt');
      return answer('generate', request, target.generate(request), call);
    },
    embed(request, call = {}) {
      checkCall(call);
      checkEmbedRequest(request);
      return embed(settings, request, call);
    },
    models: {
      list(call = {}) {
        checkCall(call);
        return target.listModels((path, read) =>
          callJson(settings, { path, operation: 'models.list' }, call, read),
        );
      },
    },
    status(call = {}) {
      checkCall(call);
      return callJson(settings, { path: target.statusPath, operation: 'status' }, call, target.readStatus);
    },
    async version(call = {}) {
      return (await client.status(call)).version;
    },
  };
  return withSettings(client, settings);
}

function targetOf({ target = 'kit', framing = 'ndjson' }: ClientOptions): Target {
  if (framing !== 'ndjson' && framing !== 'sse')
    throw new TypeError('Reading framing: give "ndjson" or "sse".');
  switch (target) {
    case 'kit':
      return framing === 'sse' ? kitSseTarget : kitTarget;
    case 'ollama':
      return ollamaTarget;
    case 'openai':
      return openAiTarget;
    default:
      throw new TypeError('Reading target: give "kit", "ollama" or "openai".');
  }
}
