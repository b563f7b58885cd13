import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'plugin-code': 'src/plugin-code.ts',
    'plugin-math': 'src/plugin-math.ts',
    'plugin-mermaid': 'src/plugin-mermaid.ts',
    styles: 'src/styles/styles.css',
  },
  format: ['esm'],
  clean: true,
  sourcemap: true,
  target: 'es2022',
  platform: 'browser',
  banner: { js: '"use client";' },
});
