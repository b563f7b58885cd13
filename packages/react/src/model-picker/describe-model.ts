import type { ModelInfo } from '@ziggie/llm-protocol';
import type { Text } from '../text/text-context.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** `reads 131,072 tokens, sees images, uses tools`: what a model can do, as far as its server says. */
export function describeAbilities(model: ModelInfo, { strings, format }: Text): string {
  const reads = model.contextLength === null ? [] : [strings.contextOf(format.count(model.contextLength))];
  const known = Object.entries(strings.capabilities);
  const can = known.filter(([name]) => model.capabilities.some((one) => one === name));
  return [...reads, ...can.map(([, words]) => words)].join(', ');
}

/** Whether a model can answer at once, as the dot beside its name shows it. */
export function loadStateOf(model: ModelInfo | undefined): 'loaded' | 'cold' | 'unknown' {
  if (model === undefined) return 'unknown';
  return model.loaded === null ? 'cold' : 'loaded';
}

/**
 * `in memory, 9.8 GB`; the brief form leaves the size out, the long one has size, precision and when the memory is freed:
 * `14.8B, Q4_K_M, 9.3 GB, not in memory`. `now` is wall time in ms.
 */
export function describeModel(
  model: ModelInfo,
  { strings, format }: Text,
  form: 'brief' | 'short' | 'long',
  now = 0,
): string {
  const vram = model.loaded?.sizeVramBytes ?? null;
  const memory =
    model.loaded === null
      ? strings.notInMemory
      : vram === null || vram === 0 || form === 'brief'
        ? strings.inMemory
        : strings.inMemorySize(format.bytes(vram));
  if (form !== 'long') return memory;
  const size = model.loaded === null && model.sizeBytes ? format.bytes(model.sizeBytes) : null;
  const freedInMs = Date.parse(model.loaded?.expiresAt ?? '') - now;
  // A model that is kept for good has a time far away; one that is being freed, a time that is over.
  const frees =
    freedInMs > 0 && freedInMs < DAY_MS
      ? strings.freesIn(format.duration(Math.ceil(freedInMs / MINUTE_MS) * MINUTE_MS))
      : null;
  const parts = [model.parameterSize, model.quantization, size, memory, frees];
  return parts.filter((part) => part !== null && part !== '').join(', ');
}
