import { randomText } from '../ollama/random.ts';
import { openAiUsage, type Profile } from './profile.ts';

/** Types of errors by status; all others are `api_error`. */
const types: Record<number, string> = { 400: 'invalid_request_error', 404: 'not_found_error' };

/** Ollama's own compatibility routes, as since v0.32.6. */
export const ollamaProfile: Profile = {
  name: 'ollama',
  streamHeaders: { 'content-type': 'text/event-stream' },
  chatId: (random) => `chatcmpl-${Math.floor(random() * 999)}`,
  toolCallId: (random) => `call_${randomText(random, 'abcdefghijklmnopqrstuvwxyz0123456789', 8)}`,
  extras: { system_fingerprint: 'fp_ollama' },
  choiceExtras: {},
  lastChoiceExtras: {},
  firstDelta: undefined,
  lastDelta: {},
  thinkingFields: ['reasoning'],
  piecewiseTools: false,
  emptyContent: true,
  noContent: '',
  usage: openAiUsage,
  endExtras: () => ({}),
  nullUsage: false,
  errorBody: (failure) => ({
    error: { message: failure.message, type: types[failure.status] ?? 'api_error', param: null, code: null },
  }),
  // The failure's line is read as an empty record, and its text is lost.
  lateFailure: (_, emptyChunk) => [emptyChunk()],
  model: (model, createdS) => ({
    id: model.shortName,
    object: 'model',
    created: createdS,
    owned_by: model.name.namespace,
  }),
};
