import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

/** One script of a page, built for browsers from the sources. @param code May import from `src/…` of this package. */
export async function pageScript(code: string): Promise<string> {
  const id = '\0page';
  const output = await build({
    configFile: false,
    root: here,
    logLevel: 'silent',
    resolve: { conditions: ['@ziggie/source', 'browser', 'module', 'import', 'default'] },
    plugins: [
      {
        name: 'page',
        resolveId: (source) => (source === 'page' ? id : null),
        load: (source) => (source === id ? code.replaceAll("from 'src/", `from '${here}../src/`) : null),
      },
    ],
    build: {
      write: false,
      target: 'es2022',
      rollupOptions: { input: 'page', output: { format: 'iife', codeSplitting: false } },
      modulePreload: { polyfill: false },
    },
  });
  const chunks = [output].flat().flatMap((result) => ('output' in result ? result.output : []));
  return chunks
    .map((chunk) => (chunk.type === 'chunk' ? chunk.code : ''))
    .join('')
    .replaceAll('</script', '<\\/script');
}
