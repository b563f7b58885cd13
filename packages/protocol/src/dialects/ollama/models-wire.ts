import type { ModelInfo } from '../../model.ts';

type Json = Record<string, unknown>;

/**
 * The models of `GET /api/tags`, with what `GET /api/ps` says is in memory.
 *
 * Both bodies are read loosely: `families` may be null, older servers send no `capabilities` (then `completion` is
 * assumed) and no `context_length`; for a loaded model the one of `/api/ps` is what a request may really use.
 */
export function decodeOllamaModels(tags: unknown, ps: unknown): ModelInfo[] {
  const loaded = new Map<string, Json>();
  for (const entry of list(ps)) {
    const name = string(entry['model']) ?? string(entry['name']);
    if (name !== null) loaded.set(name, entry);
  }
  const models: ModelInfo[] = [];
  for (const entry of list(tags)) {
    const name = string(entry['model']) ?? string(entry['name']);
    if (name === null) continue;
    const details = object(entry['details']);
    const running = loaded.get(name);
    const capabilities = Array.isArray(entry['capabilities'])
      ? entry['capabilities'].filter((one): one is string => typeof one === 'string')
      : ['completion'];
    models.push({
      name,
      aliases: name.endsWith(':latest') ? [name.slice(0, -':latest'.length)] : [],
      family: string(details['family']),
      parameterSize: string(details['parameter_size']),
      quantization: string(details['quantization_level']),
      sizeBytes: number(entry['size']),
      contextLength: number(running?.['context_length']) ?? number(details['context_length']),
      capabilities,
      loaded: running
        ? { sizeVramBytes: number(running['size_vram']), expiresAt: string(running['expires_at']) }
        : null,
    });
  }
  return models;
}

function list(body: unknown): Json[] {
  const models = object(body)['models'];
  return Array.isArray(models)
    ? models.filter((one): one is Json => typeof one === 'object' && one !== null)
    : [];
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function string(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
