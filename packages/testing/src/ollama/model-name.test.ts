import { expect, it } from 'vitest';
import { canonicalName, fullName, parseModelName } from './model-name.ts';

it.each([
  ['llama3.2', 'llama3.2:latest'],
  ['LLAMA3.2:Latest', 'llama3.2:latest'],
  ['qwen3:14b', 'qwen3:14b'],
  ['someone/model', 'someone/model:latest'],
  ['hf.co/Someone/Model.GGUF:Q4_K_M', 'hf.co/someone/model.gguf:q4_k_m'],
  ['registry.ollama.ai/library/a', 'a:latest'],
])('canonicalName() of %s is %s', (given, canonical) => {
  expect(canonicalName(given)).toBe(canonical);
});

it.each(['bad name', '', ':tag', 'a:', 'a:b:c', 'a/b/c/d', '../x', '-x', 'a@sha256', `${'a'.repeat(81)}`])(
  'parseModelName() refuses %j',
  (given) => {
    expect(parseModelName(given)).toBeUndefined();
  },
);

it('fullName() has every part', () => {
  const name = parseModelName('gemma');
  expect(name && fullName(name)).toBe('registry.ollama.ai/library/gemma:latest');
});
