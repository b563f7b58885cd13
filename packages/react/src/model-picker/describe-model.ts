import type { ModelInfo } from '@ziggie/llm-protocol';
import type { Text } from '../text/text-context.ts';

/** Whether a model can answer at once, as the dot beside its name shows it. */
export function loadStateOf(model: ModelInfo | undefined): 'loaded' | 'cold' | 'unknown' {
  if (model === undefined) return 'unknown';
  return model.loaded === null ? 'cold' : 'loaded';
}

/**
 * `in memory, 9.8 GB`; the brief form leaves the size out, the long one has size and precision too:
 * `14.8B, Q4_K_M, 9.3 GB, not in memory`.
 */
export function describeModel(
  model: ModelInfo,
  { strings, format }: Text,
  form: 'brief' | 'short' | 'long',
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
  const parts = [model.parameterSize, model.quantization, size, memory];
  return parts.filter((part) => part !== null && part !== '').join(', ');
}
