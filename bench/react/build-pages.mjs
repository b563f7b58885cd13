import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Bundles each page as an app would: minified, for production, one React for all. Gives the files by name. */
export async function buildPages() {
  const names = readdirSync(join(here, 'pages')).filter((name) => name.endsWith('.jsx'));
  const { outputFiles } = await build({
    entryPoints: names.map((name) => join(here, 'pages', name)),
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    write: false,
    outdir: '/pages',
    logLevel: 'error',
    loader: { '.woff': 'empty', '.woff2': 'empty', '.ttf': 'empty' },
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: {
      react: join(here, 'node_modules/react'),
      'react-dom': join(here, 'node_modules/react-dom'),
    },
  });
  return new Map(outputFiles.map(({ path, contents }) => [path.slice('/pages'.length), contents]));
}
