import { HttpFailure } from '../ollama/http-failure.ts';
import { isObject } from '../ollama/request-body.ts';
import { defined } from './read-chat.ts';

/** A text completion of OpenAI's dialect, as Ollama's own `/api/generate` would take it. */
export function readOpenAiCompletion(body: Record<string, unknown>) {
  const { prompt = '', stop } = body;
  if (typeof prompt !== 'string') {
    throw new HttpFailure(
      400,
      'json: cannot unmarshal array into Go struct field CompletionRequest.prompt of type string',
    );
  }
  const streamOptions = isObject(body['stream_options']) ? body['stream_options'] : {};
  return {
    prompt,
    includeUsage: streamOptions['include_usage'] === true,
    native: defined({
      model: body['model'],
      prompt,
      suffix: body['suffix'],
      stream: body['stream'] === true,
      options: defined({
        num_predict: body['max_tokens'],
        stop: typeof stop === 'string' ? [stop] : stop,
        seed: body['seed'],
        temperature: body['temperature'] ?? 1,
        top_p: body['top_p'] ?? 1,
        frequency_penalty: body['frequency_penalty'] ?? 0,
        presence_penalty: body['presence_penalty'] ?? 0,
      }),
    }),
  };
}
