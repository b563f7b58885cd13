import { expect, it } from 'vitest';
import { parseOllamaHost } from '../src/upstream.ts';

it.each([
  ['127.0.0.1', 'http://127.0.0.1:11434'],
  ['127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['0.0.0.0', 'http://127.0.0.1:11434'],
  ['0.0.0.0:9999', 'http://127.0.0.1:9999'],
  ['http://gpu-1', 'http://gpu-1:11434'],
  ['http://gpu-1:80', 'http://gpu-1'],
  ['https://gpu.example', 'https://gpu.example'],
  ['https://gpu.example/ollama/', 'https://gpu.example/ollama'],
  ['[::]', 'http://[::1]:11434'],
  ['[::1]:7000', 'http://[::1]:7000'],
])('OLLAMA_HOST=%s means %s', (text, url) => {
  expect(parseOllamaHost(text)).toBe(url);
});

it('refuses what is no address', () => {
  expect(() => parseOllamaHost('http://')).toThrow(/no address/);
});
