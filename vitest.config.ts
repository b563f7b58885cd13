import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { storybookTest } from '@storybook/addon-vitest/vitest-plugin';
import react from '@vitejs/plugin-react';
import { playwright } from '@vitest/browser-playwright';
import { defaultClientConditions, defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { chromiumArgs, chromiumPath } from './.ci/chromium.mjs';

// Tests read the sources of the workspace, never a stale dist.
const source = '@ziggie/source';
// Node itself knows no `module`: some packages have a build for bundlers there that Node cannot load.
const asNode = [source, ...defaultServerConditions.filter((condition) => condition !== 'module')];
const node = {
  extends: true as const,
  resolve: { conditions: asNode },
  ssr: { resolve: { conditions: asNode } },
};
const dom = { extends: true as const, resolve: { conditions: [source, ...defaultClientConditions] } };
// A function: one shared object is changed by the first project that takes it.
const browser = () => ({
  enabled: true,
  headless: true,
  screenshotFailures: false,
  provider: playwright({ launchOptions: { executablePath: chromiumPath, args: chromiumArgs } }),
  instances: [{ browser: 'chromium' as const }],
  commands: { readShared },
});
/** Lists of attacks and faults stand in a folder beside the repository where there is one. */
function readShared(_: unknown, path: string): string | null {
  const file = fileURLToPath(new URL(`../shared/${path}`, import.meta.url));
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
// Found only when they are asked for, they would reload the page in the middle of a test.
const fetchedLater = {
  include: [
    'react-dom/client',
    'lowlight',
    'highlight.js/lib/languages/javascript',
    'highlight.js/lib/languages/python',
    'highlight.js/lib/languages/typescript',
    'temml',
    'mermaid',
  ].map((name) => `@ziggie/llm-react > ${name}`),
};
const react18 = 'packages/react/compat/react18';
// Storybook starts its own server while the configuration loads: only when its project is asked for.
const asked = process.argv.flatMap((arg, at) =>
  arg === '--project' ? [process.argv[at + 1]] : arg.startsWith('--project=') ? [arg.slice(10)] : [],
);
const stories = asked.length === 0 || asked.includes('storybook');
const long = process.env['ZIGGIE_LONG'] === '1';

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    provide: { slowTier: long },
    // A second, the default, is short on a machine that also builds or installs: a test waits for the state it names.
    expect: { poll: { timeout: 15_000 } },
    projects: long
      ? [
          {
            ...node,
            test: {
              name: 'long',
              environment: 'node',
              include: ['{packages/*,server-kit}/{src,test}/**/*.long.ts'],
              testTimeout: 900_000,
            },
          },
          {
            ...dom,
            plugins: [react()],
            optimizeDeps: fetchedLater,
            test: {
              name: 'long-browser',
              include: [
                'packages/react/src/markdown/{attack-strings,pathological}.browser.test.tsx',
                'packages/react/src/chat/attack-places.browser.test.tsx',
              ],
              testTimeout: 900_000,
              browser: browser(),
            },
          },
        ]
      : [
          {
            ...node,
            test: {
              name: 'node',
              environment: 'node',
              include: [
                '{packages/*,server-kit}/{src,test}/**/*.test.ts',
                'packages/react/src/**/*.ssr.test.tsx',
              ],
              exclude: ['**/*.browser.test.ts', '**/node_modules/**'],
            },
          },
          {
            ...dom,
            plugins: [react()],
            optimizeDeps: fetchedLater,
            test: {
              name: 'browser',
              include: ['packages/*/{src,test}/**/*.browser.test.{ts,tsx}'],
              // These want React 18: project `react18`.
              exclude: ['**/*.compat.browser.test.tsx', '**/node_modules/**'],
              browser: browser(),
            },
          },
          {
            ...dom,
            plugins: [react()],
            root: react18,
            resolve: {
              ...dom.resolve,
              dedupe: ['react', 'react-dom'],
            },
            test: {
              name: 'react18',
              dir: 'packages/react/src',
              include: ['**/*.compat.browser.test.tsx'],
              browser: browser(),
            },
          },
          ...(stories
            ? [
                {
                  extends: true as const,
                  plugins: [
                    storybookTest({ configDir: fileURLToPath(new URL('.storybook', import.meta.url)) }),
                  ],
                  test: { name: 'storybook', browser: browser() },
                },
              ]
            : []),
          {
            ...node,
            test: {
              name: 'e2e',
              environment: 'node',
              include: ['examples/*/e2e/**/*.test.ts'],
              globalSetup: ['examples/control-center/e2e/build-page.ts'],
              testTimeout: 90_000,
              hookTimeout: 120_000,
              fileParallelism: false,
            },
          },
        ],
  },
});
