import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** Where the page for these tests is built. */
export const builtPage = fileURLToPath(new URL('../node_modules/.e2e-page/', import.meta.url));

/** Vitest global set-up: builds the page once, from the packages' sources. */
export async function setup(): Promise<void> {
  process.env['ZIGGIE_SOURCE'] = '1';
  process.env['ZIGGIE_OUT_DIR'] = builtPage;
  await build({
    configFile: fileURLToPath(new URL('../vite.config.ts', import.meta.url)),
    logLevel: 'error',
  });
}
