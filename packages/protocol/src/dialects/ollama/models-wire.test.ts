import { expect, it } from 'vitest';
import { decodeOllamaModels } from './models-wire.ts';

it('decodeOllamaModels() joins tags with what is in memory', () => {
  const tags = {
    models: [
      {
        name: 'qwen3:14b',
        model: 'qwen3:14b',
        size: 9_300_000_000,
        details: {
          family: 'qwen3',
          families: null,
          parameter_size: '14.8B',
          quantization_level: 'Q4_K_M',
          context_length: 40960,
        },
        capabilities: ['completion', 'tools', 'thinking'],
      },
      { name: 'old:latest', size: 5, details: {} },
    ],
  };
  const ps = {
    models: [
      {
        model: 'qwen3:14b',
        size_vram: 9_800_000_000,
        expires_at: '2026-11-23T10:00:00Z',
        context_length: 8192,
      },
    ],
  };
  expect(decodeOllamaModels(tags, ps)).toEqual([
    {
      name: 'qwen3:14b',
      aliases: [],
      family: 'qwen3',
      parameterSize: '14.8B',
      quantization: 'Q4_K_M',
      sizeBytes: 9_300_000_000,
      contextLength: 8192,
      capabilities: ['completion', 'tools', 'thinking'],
      loaded: { sizeVramBytes: 9_800_000_000, expiresAt: '2026-11-23T10:00:00Z' },
    },
    {
      name: 'old:latest',
      aliases: ['old'],
      family: null,
      parameterSize: null,
      quantization: null,
      sizeBytes: 5,
      contextLength: null,
      capabilities: ['completion'],
      loaded: null,
    },
  ]);
});

it('decodeOllamaModels() reads foreign bodies as no models', () => {
  for (const body of [null, 7, 'x', {}, { models: null }, { models: [null, 3, {}] }]) {
    expect(decodeOllamaModels(body, body)).toEqual([]);
  }
});
