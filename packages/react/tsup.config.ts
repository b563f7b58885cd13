import { defineConfig } from 'tsup';

export default defineConfig({
  // Every module stays a file of its own: bundlers leave out whole files, and a page that uses the hooks alone shall not
  // carry the looks, nor a page that shows answers what comes later.
  entry: [
    'src/**/*.{ts,tsx}',
    '!src/**/*.{test,browser.test,compat.browser.test,ssr.test,stories}.{ts,tsx}',
    'src/styles/styles.css',
  ],
  format: ['esm'],
  clean: true,
  sourcemap: true,
  target: 'es2022',
  platform: 'browser',
  banner: { js: '"use client";' },
  esbuildPlugins: [
    {
      name: 'files stay apart',
      setup(build) {
        build.onResolve({ filter: /^\.\.?\// }, ({ kind, path }) =>
          kind === 'entry-point' || kind === 'import-rule'
            ? undefined
            : { path: path.replace(/\.tsx?$/, '.js'), external: true },
        );
      },
    },
  ],
});
