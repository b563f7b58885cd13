import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

// With ZIGGIE_SOURCE=1 the page is made from the packages' sources instead of their builds: tests see what is written.
const fromSource = process.env['ZIGGIE_SOURCE'] === '1';

export default defineConfig({
  root: fileURLToPath(new URL('web', import.meta.url)),
  plugins: [react()],
  resolve: { conditions: [...(fromSource ? ['@ziggie/source'] : []), ...defaultClientConditions] },
  build: {
    outDir: process.env['ZIGGIE_OUT_DIR'] ?? '../dist-web',
    emptyOutDir: true,
    // Under the page's content security policy nothing may be inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
