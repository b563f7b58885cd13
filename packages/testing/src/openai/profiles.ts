import { randomText } from '../ollama/random.ts';
import { type EndPiece, figuresOf } from '../wire/pieces.ts';
import { sseData } from '../wire/surface.ts';
import { openAiUsage, type Profile } from './profile.ts';

const HEX = '0123456789abcdef';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const vllmTypes: Record<number, string> = {
  400: 'BadRequestError',
  401: 'AuthenticationError',
  404: 'NotFoundError',
  422: 'UnprocessableEntityError',
  429: 'TooManyRequestsError',
  501: 'NotImplementedError',
  503: 'ServiceUnavailableError',
};

/** vLLM's `vllm serve`: the shapes of `entrypoints/openai` in 0.11 and later. */
export const vllmProfile: Profile = {
  name: 'vllm',
  streamHeaders: { 'content-type': 'text/event-stream; charset=utf-8' },
  chatId: (random) => `chatcmpl-${randomText(random, HEX, 32)}`,
  toolCallId: (random) => `chatcmpl-tool-${randomText(random, HEX, 32)}`,
  extras: {},
  choiceExtras: { logprobs: null },
  lastChoiceExtras: { stop_reason: null },
  firstDelta: { role: 'assistant', content: '' },
  lastDelta: { content: '' },
  thinkingFields: ['reasoning'],
  piecewiseTools: true,
  emptyContent: false,
  noContent: null,
  usage(figures) {
    const { prompt_tokens, completion_tokens, total_tokens } = openAiUsage(figures);
    return { prompt_tokens, total_tokens, completion_tokens, prompt_tokens_details: null };
  },
  endExtras: () => ({}),
  nullUsage: false,
  errorBody: ({ status, message, param }) => ({
    error: { message, type: vllmTypes[status] ?? 'InternalServerError', param: param ?? null, code: status },
  }),
  // The error is an event like any other, and the stream still ends as a good one does.
  lateFailure: (failure) => [sseData(JSON.stringify(vllmProfile.errorBody(failure))), sseData('[DONE]')],
  model: (model, createdS) => ({
    id: model.displayName,
    object: 'model',
    created: createdS,
    owned_by: 'vllm',
    root: model.displayName,
    parent: null,
    max_model_len: model.contextLength,
    permission: [
      {
        id: `modelperm-${model.digest.slice(0, 32)}`,
        object: 'model_permission',
        created: createdS,
        allow_create_engine: false,
        allow_sampling: true,
        allow_logprobs: true,
        allow_search_indices: false,
        allow_view: true,
        allow_fine_tuning: false,
        organization: '*',
        group: null,
        is_blocking: false,
      },
    ],
  }),
};

const llamaTypes: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  501: 'not_supported_error',
  503: 'unavailable_error',
};

/** llama.cpp's `llama-server`. */
export const llamaCppProfile: Profile = {
  name: 'llama.cpp',
  streamHeaders: { 'content-type': 'text/event-stream' },
  chatId: (random) => `chatcmpl-${randomText(random, LETTERS, 32)}`,
  toolCallId: (random) => randomText(random, LETTERS, 32),
  extras: { system_fingerprint: 'b6881-8b11deea4' },
  order: ['choices', 'created', 'id', 'model', 'system_fingerprint', 'object', 'usage', 'timings'],
  choiceOrder: ['finish_reason', 'index', 'delta', 'message', 'logprobs'],
  choiceExtras: {},
  lastChoiceExtras: {},
  firstDelta: { role: 'assistant', content: null },
  lastDelta: {},
  thinkingFields: ['reasoning_content'],
  piecewiseTools: true,
  emptyContent: false,
  noContent: null,
  usage(figures) {
    const { prompt_tokens, completion_tokens, total_tokens } = openAiUsage(figures);
    return { completion_tokens, prompt_tokens, total_tokens };
  },
  endExtras: (end) => ({ timings: timings(end) }),
  nullUsage: false,
  errorBody: ({ status, message, members }) => ({
    error: { code: status, message, type: llamaTypes[status] ?? 'server_error', ...members },
  }),
  lateFailure: (failure) => [sseData(JSON.stringify(llamaCppProfile.errorBody(failure)))],
  model: (model, createdS) => ({
    id: model.displayName,
    object: 'model',
    created: createdS,
    owned_by: 'llamacpp',
    meta: {
      vocab_type: 1,
      n_vocab: 128_256,
      n_ctx_train: model.contextLength,
      n_embd: model.embeddingLength,
      n_params: model.parameterCount,
      size: model.sizeBytes,
    },
  }),
};

function timings(end: EndPiece) {
  const { promptTokens, prefillMs, tokens, decodeMs } = figuresOf(end);
  return {
    cache_n: 0,
    prompt_n: promptTokens,
    prompt_ms: prefillMs,
    prompt_per_token_ms: perToken(prefillMs, promptTokens),
    prompt_per_second: perSecond(promptTokens, prefillMs),
    predicted_n: tokens,
    predicted_ms: decodeMs,
    predicted_per_token_ms: perToken(decodeMs, tokens),
    predicted_per_second: perSecond(tokens, decodeMs),
  };
}

const perToken = (ms: number, tokens: number) => (tokens === 0 ? 0 : ms / tokens);
/** A time too short for the clock counts as a microsecond. */
const perSecond = (tokens: number, ms: number) => (tokens / Math.max(ms, 0.001)) * 1000;

const openAiTypes: Record<number, string> = {
  429: 'rate_limit_exceeded',
  500: 'server_error',
  503: 'server_error',
};

/** OpenAI's own API. */
export const openAiProfile: Profile = {
  name: 'openai',
  streamHeaders: { 'content-type': 'text/event-stream; charset=utf-8' },
  chatId: (random) => `chatcmpl-${randomText(random, LETTERS, 29)}`,
  toolCallId: (random) => `call_${randomText(random, LETTERS, 24)}`,
  extras: { service_tier: 'default', system_fingerprint: 'fp_07871e2ad8' },
  choiceExtras: { logprobs: null },
  lastChoiceExtras: {},
  firstDelta: { role: 'assistant', content: '', refusal: null },
  lastDelta: {},
  // Its models think in secret: the thinking shows in the count alone.
  thinkingFields: [],
  piecewiseTools: true,
  emptyContent: false,
  noContent: null,
  usage(figures) {
    return {
      ...openAiUsage(figures),
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: figures?.thinkingTokens ?? 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    };
  },
  endExtras: () => ({}),
  nullUsage: true,
  errorBody: ({ status, message, param, code }) => ({
    error: {
      message,
      type: openAiTypes[status] ?? 'invalid_request_error',
      param: param ?? null,
      code: code ?? null,
    },
  }),
  lateFailure: (failure) => [sseData(JSON.stringify(openAiProfile.errorBody(failure)))],
  model: (model, createdS) => ({
    id: model.displayName,
    object: 'model',
    created: createdS,
    owned_by: 'openai',
  }),
};
