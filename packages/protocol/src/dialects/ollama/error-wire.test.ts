import { describe, expect, it } from 'vitest';
import { classifyOllamaError, ollamaBodyText } from './error-wire.ts';

describe('classifyOllamaError()', () => {
  // The exact texts of server/routes.go, server/sched.go and llm/llama_server.go.
  it.each([
    [404, "model 'nope' not found", 'model_not_found', false],
    [404, 'model "nope" not found, try pulling it first', 'model_not_found', false],
    [200, 'pull model manifest: file does not exist', 'model_not_found', false],
    [400, 'registry.ollama.ai/library/test:latest does not support tools', 'capability_unsupported', false],
    [400, '"test" does not support thinking', 'capability_unsupported', false],
    [400, 'image generation models are not currently supported', 'capability_unsupported', false],
    [
      400,
      'the prompt is longer than the context length currently available to the model; shorten the prompt',
      'context_overflow',
      false,
    ],
    [400, 'the input length exceeds the context length', 'context_overflow', false],
    [400, 'model is required', 'bad_request', false],
    [500, 'option "num_ctx" must be of type integer', 'bad_request', false],
    [500, 'invalid format: "x"; expected "json" or a valid JSON Schema object', 'bad_request', false],
    [400, 'time: missing unit in duration "-1"', 'bad_request', false],
    [503, 'server busy, please try again.  maximum pending requests exceeded', 'server_busy', true],
    [
      500,
      'model requires more system memory (31.1 GiB) than is available (12.0 GiB)',
      'out_of_memory',
      false,
    ],
    [500, 'llama-server reported out-of-memory during startup: cudaMalloc failed', 'out_of_memory', true],
    [500, 'llama-server process has terminated: exit status 2', 'runner_crashed', true],
    [undefined, 'an error was encountered while running the model: unexpected EOF', 'runner_crashed', true],
    [500, 'timed out waiting for llama-server to start - progress 0.5', 'load_timeout', true],
    [undefined, 'mismatched arg_key and arg_value counts: 1 keys, 0 values', 'model_output_invalid', true],
    [undefined, 'something nobody knows', 'upstream_error', true],
    [500, 'something nobody knows', 'internal_error', true],
    [401, 'unauthorized', 'unauthorized', false],
    [403, 'model x not found', 'forbidden', false],
    [502, 'dial tcp: connection refused', 'upstream_error', true],
  ] as const)('%s %s is %s', (status, text, code, retryable) => {
    expect(classifyOllamaError(status, text)).toMatchObject({ code, retryable });
  });
});

describe('ollamaBodyText()', () => {
  it.each([
    ['{"error":"unauthorized","signin_url":"https://ollama.com/connect"}', 'unauthorized'],
    ['{"StatusCode":429,"Status":"429 Too Many Requests","error":"slow down"}', 'slow down'],
    ['{"error":"{\\"error\\":{\\"code\\":400,\\"message\\":\\"inner\\"}}"}', 'inner'],
    ['{"error":{"message":"openai shape","type":"api_error"}}', 'openai shape'],
    ['{"type":"error","error":{"type":"not_found_error","message":"anthropic shape"}}', 'anthropic shape'],
    ['404 page not found', '404 page not found'],
    ['<html><body>Bad gateway</body></html>', undefined],
    ['', undefined],
    ['{"error":null}', 'The model server gave no reason.'],
    ['{"error":{}}', 'The model server gave no reason.'],
    ['{broken', '{broken'],
  ])('%j says %j, never [object Object]', (body, text) => {
    expect(ollamaBodyText(body)).toBe(text);
  });
});
