import { createRoot } from 'react-dom/client';
import { createConversation } from '../../../packages/client/dist/conversation.js';
import { createClient } from '../../../packages/client/dist/index.js';
import { createMemoryStorage } from '../../../packages/client/dist/storage.js';
import { ZiggieChat } from '../../../packages/react/dist/index.js';
import { expose, next, painted, source } from './texts.js';
import '../../../packages/react/dist/styles/styles.css';

const encoder = new TextEncoder();
const line = (content, more) =>
  encoder.encode(
    `${JSON.stringify({ model: 'bench:latest', created_at: '2026-11-25T12:00:00Z', message: { role: 'assistant', content }, ...more })}\n`,
  );

/** An Ollama in the page: one model, and answers of the common source. */
function answer(url) {
  const path = new URL(url).pathname;
  if (path === '/api/tags')
    return Response.json({ models: [{ name: 'bench:latest', model: 'bench:latest', details: {} }] });
  if (path === '/api/show')
    return Response.json({ capabilities: ['completion'], details: {}, model_info: {} });
  if (path === '/api/ps') return Response.json({ models: [] });
  if (path !== '/api/chat') return Response.json({ version: '0.12.0' });
  const tokens = source();
  return new Response(
    new ReadableStream({
      async pull(controller) {
        const { value, done } = await tokens.next();
        controller.enqueue(
          done ? line('', { done: true, done_reason: 'stop', eval_count: next.tokens.length }) : value,
        );
        if (done) controller.close();
      },
    }),
    { headers: { 'content-type': 'application/x-ndjson' } },
  );
}

let conversation;
expose({
  mount(host, history) {
    const client = createClient({
      baseUrl: globalThis.benchServer ?? 'http://ollama.test',
      target: 'ollama',
      ...(globalThis.benchServer ? {} : { fetch: async (input) => answer(String(input.url ?? input)) }),
    });
    const nodes = history.map(({ role, text }, at) => ({
      id: `m${at}`,
      parentId: at === 0 ? null : `m${at - 1}`,
      role,
      text,
      thinking: '',
      toolCalls: [],
      createdAt: 1_700_000_000_000 + at,
      ...(role === 'assistant'
        ? { model: 'bench:latest', end: { kind: 'complete', finishReason: 'stop' } }
        : {}),
    }));
    const storage = createMemoryStorage();
    void storage.save({
      version: 2,
      id: 'saved',
      pinned: false,
      archived: false,
      removed: [],
      queue: [],
      cut: null,
      detailsAt: 0,
      title: null,
      model: 'bench:latest',
      head: nodes.at(-1)?.id ?? null,
      nodes,
      updatedAt: 1_700_000_000_000,
    });
    conversation = createConversation({ client, storage, id: 'saved', model: 'bench:latest' });
    createRoot(host).render(<ZiggieChat client={client} conversation={conversation} layout="page" />);
  },
  ask: () => conversation.send('Go on.'),
  send: (token) => line(token, { done: false }),
});
globalThis.benchConversation = () => conversation;
/** Puts chats on the page and takes them off again, one after the other. */
globalThis.benchMounts = async (count) => {
  for (let round = 0; round < count; round += 1) {
    const host = document.createElement('div');
    document.body.append(host);
    const root = createRoot(host);
    const client = createClient({
      baseUrl: 'http://ollama.test',
      target: 'ollama',
      fetch: async (input) => answer(String(input.url ?? input)),
    });
    root.render(<ZiggieChat client={client} storage={createMemoryStorage()} />);
    await painted();
    root.unmount();
    host.remove();
  }
};
