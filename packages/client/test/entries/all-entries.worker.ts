import * as admin from '../../src/admin.ts';
import * as conversation from '../../src/conversation.ts';
import * as index from '../../src/index.ts';
import * as storage from '../../src/storage.ts';
import * as templates from '../../src/templates.ts';
import * as tools from '../../src/tools.ts';
import * as websocket from '../../src/websocket.ts';

/** Everything that a worker can use, and a conversation kept from inside one. */
const entries = { '.': index, admin, conversation, storage, templates, tools, websocket };

const lines = [
  { type: 'start', id: 'r', model: 'm', upstreamModel: 'm', resumable: false },
  { type: 'text-delta', text: 'Hi from a worker' },
  { type: 'done', finishReason: 'stop', timings: {} },
].map((event, seq) => `${JSON.stringify({ ...event, seq })}\n`);

async function chat(): Promise<string> {
  const client = index.createClient({
    baseUrl: 'http://kit.test/api',
    fetch: async () => new Response(lines.join(''), { headers: { 'Content-Type': 'application/x-ndjson' } }),
  });
  const kept = storage.createIndexedDb({ namespace: 'worker' });
  const open = conversation.createConversation({ client, storage: kept, id: 'one', model: 'm' });
  await open.send('Hello');
  open.dispose();
  for (let tries = 0; tries < 100; tries++) {
    const record = await kept.load('one');
    const end = record?.nodes.at(-1);
    if (end?.end !== undefined) {
      await kept.remove('one');
      return end.text;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return 'never saved';
}

chat().then(
  (text) => postMessage({ text, names: Object.keys(entries), hasWindow: 'window' in globalThis }),
  (error: unknown) => postMessage({ error: String(error) }),
);
