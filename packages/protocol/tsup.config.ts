import { defineConfig } from 'tsup';

export default defineConfig({
  // Every module stays a file of its own: bundlers put whole files into chunks, and a page that reads the kit alone
  // shall not start with the dialects that another chunk needs.
  entry: ['src/**/*.ts', '!src/**/*.test.ts', '!src/**/*.long.ts'],
  format: ['esm'],
  clean: true,
  sourcemap: true,
  target: 'es2022',
  platform: 'neutral',
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
