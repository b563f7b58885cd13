import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { build } from 'vite';
import { expect, test } from 'vitest';
import { chromiumArgs, chromiumPath } from '../../../.ci/chromium.mjs';
import { serveSockets } from './scripted-socket-server.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** One script of a page that asks over a WebSocket, built for browsers. */
async function pageScript(): Promise<string> {
  const id = '\0page';
  const code = `
    import { createClient } from '${here}../src/index.ts';
    import { webSocketTransport } from '${here}../src/websocket.ts';
    const client = createClient({ baseUrl: '/', credentials: 'page-token', transport: webSocketTransport() });
    const ask = (model) => client.chat({ model, messages: [{ role: 'user', content: 'Hi' }] });
    globalThis.askAll = async () => {
      const left = ask('left');
      for await (const event of left) if (event.type === 'text-delta') break;
      return Promise.all(['one', 'two'].map((model) => ask(model).text()));
    };
    globalThis.askAndBreak = () => ask('break').text().catch((error) => ({ code: error.code, partial: error.partial.text }));
  `;
  const output = await build({
    configFile: false,
    root: here,
    logLevel: 'silent',
    resolve: { conditions: ['@ziggie/source', 'browser', 'module', 'import', 'default'] },
    plugins: [
      {
        name: 'page',
        resolveId: (source) => (source === 'page' ? id : null),
        load: (source) => (source === id ? code : null),
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
  return chunks.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('');
}

test.skipIf(!existsSync(chromiumPath ?? ''))(
  'Chromium’s own WebSocket: a ticket for the page’s token, many answers on one socket, a close told by its code',
  async () => {
    const script = (await pageScript()).replaceAll('</script', '<\\/script');
    const server = await serveSockets({
      page: `<!doctype html><title>Page</title><script>${script}</script>`,
      onFrame(side, { type, id, request }) {
        if (type !== 'chat') return;
        side.event(id, 0, { type: 'start', id: 'r', model: 'm', upstreamModel: 'm', resumable: false });
        side.event(id, 1, { type: 'text-delta', text: `${request?.model} ü` });
        if (request?.model === 'break') side.socket.close(4503, 'restarting');
        else if (request?.model !== 'left')
          side.event(id, 2, { type: 'done', finishReason: 'stop', timings: {} });
      },
    });
    const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArgs });
    try {
      const page = await browser.newPage();
      await page.goto(server.url);
      expect(await page.evaluate('askAll()')).toEqual(['one ü', 'two ü']);
      const side = await server.opened(1);
      await side.frame('cancel');
      expect(server.sockets).toHaveLength(1);
      expect(server.tickets).toEqual([{ authorization: 'Bearer page-token', ticket: 't1' }]);
      expect(side.upgrade.headers['sec-websocket-protocol']).toContain('ticket.t1');
      expect(side.upgrade.url).toBe('/ws');
      expect(await page.evaluate('askAndBreak()')).toEqual({ code: 'shutting_down', partial: 'break ü' });
    } finally {
      await browser.close();
    }
  },
);
