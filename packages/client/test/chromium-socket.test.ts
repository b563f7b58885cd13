import { existsSync } from 'node:fs';
import { chromium } from 'playwright';
import { expect, test } from 'vitest';
import { chromiumArgs, chromiumPath } from '../../../.ci/chromium.mjs';
import { pageScript } from './page-script.ts';
import { serveSockets } from './scripted-socket-server.ts';

const code = `
  import { createClient } from 'src/index.ts';
  import { webSocketTransport } from 'src/websocket.ts';
  const client = createClient({ baseUrl: '/', credentials: 'page-token', transport: webSocketTransport() });
  const ask = (model) => client.chat({ model, messages: [{ role: 'user', content: 'Hi' }] });
  globalThis.askAll = async () => {
    const left = ask('left');
    for await (const event of left) if (event.type === 'text-delta') break;
    return Promise.all(['one', 'two'].map((model) => ask(model).text()));
  };
  globalThis.askAndBreak = () => ask('break').text().catch((error) => ({ code: error.code, partial: error.partial.text }));
`;

test.skipIf(!existsSync(chromiumPath ?? ''))(
  'Chromium’s own WebSocket: a ticket for the page’s token, many answers on one socket, a close told by its code',
  async () => {
    const script = await pageScript(code);
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
