import { defineConfig } from 'tsup';

export default defineConfig({
  // Every module stays a file of its own: bundlers then decide which of them a page starts with and which come later.
  entry: ['src/**/*.ts', '!src/**/*.test.ts', '!src/**/*.long.ts'],
  format: ['esm'],
  clean: true,
  sourcemap: true,
  target: 'es2022',
  platform: 'neutral',
  // Left in the output: whoever runs or bundles it chooses by the `node` condition, see `imports` in package.json.
  external: ['#platform-transport', /^node:/],
  esbuildPlugins: [
    {
      name: 'files stay apart',
      setup(build) {
        build.onResolve({ filter: /^\.\.?\// }, ({ kind, path }) =>
          kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true },
        );
      },
    },
  ],
});
