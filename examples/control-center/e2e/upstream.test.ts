import { expect, it } from 'vitest';
import { parseOllamaHost } from '../src/upstream.ts';

it.each([
  ['127.0.0.1', 'http://127.0.0.1:11434'],
  ['127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['0.0.0.0', 'http://127.0.0.1:11434'],
  ['0.0.0.0:9999', 'http://127.0.0.1:9999'],
  ['gpu-1', 'http://gpu-1:11434'],
  ['gpu-1:80', 'http://gpu-1'],
  ['http://gpu-1', 'http://gpu-1'],
  ['http://gpu-1:80', 'http://gpu-1'],
  ['http://gpu-1:11434/', 'http://gpu-1:11434'],
  [':8080', 'http://127.0.0.1:8080'],
  [' "10.0.0.7" ', 'http://10.0.0.7:11434'],
  ["'10.0.0.7:99'", 'http://10.0.0.7:99'],
  ['gpu.example/ollama', 'http://gpu.example:11434/ollama'],
  ['::1', 'http://[::1]:11434'],
  ['https://gpu.example', 'https://gpu.example'],
  ['https://gpu.example/ollama/', 'https://gpu.example/ollama'],
  ['[::]', 'http://[::1]:11434'],
  ['[::1]:7000', 'http://[::1]:7000'],
])('OLLAMA_HOST=%s means %s', (text, url) => {
  expect(parseOllamaHost(text)).toBe(url);
});

it.each(['http://', 'ftp://gpu-1', 'gpu-1:99999', 'gpu 1', 'http://gpu-1/?a=b'])('refuses %s', (text) => {
  expect(() => parseOllamaHost(text)).toThrow(/no address/);
});

it('refuses a name and password, and repeats neither', () => {
  expect(() => parseOllamaHost('http://ada:hunter2@gpu-1')).toThrow(/no address/);
  expect(() => parseOllamaHost('http://ada:hunter2@gpu-1')).not.toThrow(/hunter2/);
});
