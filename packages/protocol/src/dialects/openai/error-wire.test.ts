import { describe, expect, it } from 'vitest';
import { openAiFailure } from './error-wire.ts';
import { decodeOpenAiModels } from './models-wire.ts';

describe('openAiFailure()', () => {
  // The bodies as the servers print them.
  it.each<[string, number | undefined, unknown, string, boolean]>([
    [
      'OpenAI: wrong key',
      401,
      {
        error: {
          message: 'Incorrect API key provided',
          type: 'invalid_request_error',
          param: null,
          code: 'invalid_api_key',
        },
      },
      'unauthorized',
      false,
    ],
    [
      'OpenAI: no such model',
      404,
      {
        error: {
          message: 'The model `gpt-9` does not exist or you do not have access to it.',
          type: 'invalid_request_error',
          code: 'model_not_found',
        },
      },
      'model_not_found',
      false,
    ],
    [
      'OpenAI: too long',
      400,
      {
        error: {
          message: "This model's maximum context length is 8192 tokens.",
          type: 'invalid_request_error',
          code: 'context_length_exceeded',
        },
      },
      'context_overflow',
      false,
    ],
    [
      'OpenAI: slow down',
      429,
      { error: { message: 'Rate limit reached', type: 'tokens', code: 'rate_limit_exceeded' } },
      'rate_limited',
      true,
    ],
    [
      'OpenAI: no money',
      429,
      {
        error: {
          message: 'You exceeded your current quota',
          type: 'insufficient_quota',
          code: 'insufficient_quota',
        },
      },
      'quota_exceeded',
      false,
    ],
    [
      'OpenAI: broken',
      500,
      { error: { message: 'The server had an error', type: 'server_error', code: null } },
      'internal_error',
      true,
    ],
    [
      'OpenAI: overloaded',
      503,
      { error: { message: 'The engine is overloaded', type: 'server_error', code: null } },
      'server_busy',
      true,
    ],
    [
      'vLLM: no such model',
      404,
      {
        error: { message: 'The model `x` does not exist.', type: 'NotFoundError', param: 'model', code: 404 },
      },
      'model_not_found',
      false,
    ],
    [
      'old vLLM: too long',
      400,
      {
        object: 'error',
        message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        type: 'BadRequestError',
        param: null,
        code: 400,
      },
      'context_overflow',
      false,
    ],
    [
      'vLLM: wrong value',
      400,
      {
        error: {
          message: 'temperature must be non-negative',
          type: 'BadRequestError',
          param: null,
          code: 400,
        },
      },
      'bad_request',
      false,
    ],
    [
      'vLLM: no tools',
      400,
      {
        error: {
          message: '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
          type: 'BadRequestError',
          code: 400,
        },
      },
      'capability_unsupported',
      false,
    ],
    ['vLLM: no key', 401, { error: 'Unauthorized' }, 'unauthorized', false],
    [
      'FastAPI: wrong shape',
      422,
      { detail: [{ loc: ['body', 'messages'], msg: 'Field required', type: 'missing' }] },
      'bad_request',
      false,
    ],
    ['FastAPI: no route', 404, { detail: 'Not Found' }, 'not_found', false],
    [
      'llama.cpp: loading',
      503,
      { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
      'server_busy',
      true,
    ],
    [
      'llama.cpp: too long',
      400,
      {
        error: {
          code: 400,
          message: 'the request exceeds the available context size, try increasing it',
          type: 'exceed_context_size_error',
          n_prompt_tokens: 5000,
          n_ctx: 4096,
        },
      },
      'context_overflow',
      false,
    ],
    [
      'llama.cpp: no embeddings',
      501,
      {
        error: {
          code: 501,
          message: 'This server does not support embeddings.',
          type: 'not_supported_error',
        },
      },
      'capability_unsupported',
      false,
    ],
    [
      'llama.cpp: wrong key',
      401,
      { error: { code: 401, message: 'Invalid API Key', type: 'authentication_error' } },
      'unauthorized',
      false,
    ],
    [
      'Ollama: no such model',
      404,
      { error: { message: "model 'nope' not found", type: 'not_found_error', param: null, code: null } },
      'model_not_found',
      false,
    ],
    [
      'Ollama: busy',
      503,
      {
        error: {
          message: 'server busy, please try again.  maximum pending requests exceeded',
          type: 'api_error',
          param: null,
          code: null,
        },
      },
      'server_busy',
      true,
    ],
    [
      'Ollama: no tools',
      400,
      {
        error: {
          message: 'registry.ollama.ai/library/x:latest does not support tools',
          type: 'invalid_request_error',
        },
      },
      'capability_unsupported',
      false,
    ],
    [
      'Ollama: does not fit',
      500,
      {
        error: {
          message: 'model requires more system memory (31.1 GiB) than is available (12.0 GiB)',
          type: 'api_error',
        },
      },
      'out_of_memory',
      false,
    ],
    [
      'a gateway that sends numbers as text',
      undefined,
      { error: { message: 'no', code: '429' } },
      'rate_limited',
      true,
    ],
    ['a text', 500, 'upstream connect error', 'internal_error', true],
    ['nothing', 502, undefined, 'upstream_error', true],
    [
      'a prototype name as code',
      400,
      { error: { message: 'x', code: 'constructor', type: '__proto__' } },
      'bad_request',
      false,
    ],
  ])('%s', (_, status, body, code, retryable) => {
    expect(openAiFailure(status, body)).toMatchObject({ code, retryable });
  });

  it.each([[{ error: { message: { a: 1 } } }], [{ error: [] }], [[]], [null], [3], [{ detail: [null] }]])(
    'never says [object Object]: %j',
    (body) => {
      expect(openAiFailure(500, body)).toMatchObject({ code: 'internal_error', text: undefined });
    },
  );
});

describe('decodeOpenAiModels()', () => {
  it('reads the lists of OpenAI, vLLM, llama.cpp and Ollama', () => {
    const body = {
      object: 'list',
      data: [
        { id: 'gpt', object: 'model', owned_by: 'openai' },
        { id: 'qwen', max_model_len: 32768 },
        { id: 'gemma.gguf', meta: { n_ctx_train: 8192, size: 123, n_params: 5 } },
        { id: 'llama3.2:latest' },
        { object: 'model' },
        null,
      ],
    };
    expect(
      decodeOpenAiModels(body).map(({ name, aliases, contextLength, sizeBytes }) => [
        name,
        aliases,
        contextLength,
        sizeBytes,
      ]),
    ).toEqual([
      ['gpt', [], null, null],
      ['qwen', [], 32768, null],
      ['gemma.gguf', [], 8192, 123],
      ['llama3.2:latest', ['llama3.2'], null, null],
    ]);
    expect(decodeOpenAiModels({ object: 'list', data: null })).toEqual([]);
  });
});
