import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

/** One script of a page, built for browsers from the sources. @param code May import from `src/…` of this package. */
export async function pageScript(code: string): Promise<string> {
  const chunks = await chunksOf(code, { format: 'iife', codeSplitting: false });
  return [...chunks.values()].join('').replaceAll('</script', '<\\/script');
}

/** The same in files by name: `page.js` first, then what it imports later, named after its source. */
export function pageFiles(code: string): Promise<Map<string, string>> {
  return chunksOf(code, { entryFileNames: 'page.js', chunkFileNames: '[name].js' });
}

async function chunksOf(code: string, into: Rolldown.OutputOptions): Promise<Map<string, string>> {
  const id = '\0page';
  const output = await build({
    configFile: false,
    root: here,
    base: './',
    logLevel: 'silent',
    resolve: { conditions: ['@ziggie/source', 'browser', 'module', 'import', 'default'] },
    plugins: [
      {
        name: 'page',
        resolveId: (source) => (source === 'page' ? id : null),
        load: (source) =>
          source === id ? code.replaceAll(/(from |import\()'src\//g, `$1'${here}../src/`) : null,
      },
    ],
    build: {
      write: false,
      target: 'es2022',
      rollupOptions: { input: 'page', output: into },
      modulePreload: false,
    },
  });
  const chunks = [output].flat().flatMap((result) => ('output' in result ? result.output : []));
  return new Map(
    chunks.flatMap((chunk) => (chunk.type === 'chunk' ? [[chunk.fileName, chunk.code] as const] : [])),
  );
}
