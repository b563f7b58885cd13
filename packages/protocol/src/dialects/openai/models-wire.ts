import type { ModelInfo } from '../../model.ts';

type Json = Record<string, unknown>;

/**
 * The models of `GET /v1/models`. These servers say little: the name, and where they do, the context length (vLLM's
 * `max_model_len`, llama.cpp's `meta.n_ctx_train`) and the size (llama.cpp). What is not known is `null`; `completion` is
 * assumed. `data` may be `null`: Ollama without models.
 */
export function decodeOpenAiModels(body: unknown): ModelInfo[] {
  const { data } = object(body);
  const models: ModelInfo[] = [];
  for (const entry of Array.isArray(data) ? data : []) {
    const { id, max_model_len, meta } = object(entry);
    if (typeof id !== 'string' || id === '') continue;
    const { n_ctx_train, size } = object(meta);
    models.push({
      name: id,
      aliases: id.endsWith(':latest') ? [id.slice(0, -':latest'.length)] : [],
      family: null,
      parameterSize: null,
      quantization: null,
      sizeBytes: number(size),
      contextLength: number(max_model_len) ?? number(n_ctx_train),
      capabilities: ['completion'],
      loaded: null,
    });
  }
  return models;
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
