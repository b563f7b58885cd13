import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { index: 'src/index.ts', ollama: 'src/ollama.ts', openai: 'src/openai.ts' },
  format: ['esm'],
  clean: true,
  sourcemap: true,
  target: 'es2022',
  platform: 'neutral',
});
