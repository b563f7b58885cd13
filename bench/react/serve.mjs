import { createServer } from 'node:http';

const STAMPS_PER_SECOND = 40;

/** The pages, and an Ollama each of whose tokens is the time at which it was sent. */
export async function serve(files) {
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://bench.test').pathname;
    const name = path.slice(1);
    if (files.has(path)) {
      response.setHeader('content-type', path.endsWith('.css') ? 'text/css' : 'text/javascript');
      response.end(files.get(path));
    } else if (path.startsWith('/api/')) {
      answerAsOllama(path, request, response);
    } else {
      const css = files.has(`/${name}.css`) ? `<link rel="stylesheet" href="/${name}.css">` : '';
      response.setHeader('content-type', 'text/html');
      response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>${name}</title>${css}
        <style>body { margin: 0 } #root, .log { height: 100vh; overflow: auto }</style>
        <div id="root"></div><script type="module" src="/${name}.js"></script></html>`);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return { url: `http://127.0.0.1:${port}`, close: () => server.closeAllConnections() ?? server.close() };
}

function answerAsOllama(path, request, response) {
  const json = (body) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  };
  if (path === '/api/tags')
    return json({ models: [{ name: 'bench:latest', model: 'bench:latest', details: {} }] });
  if (path === '/api/show') return json({ capabilities: ['completion'], details: {}, model_info: {} });
  if (path === '/api/ps') return json({ models: [] });
  if (path !== '/api/chat') return json({ version: '0.12.0' });
  response.setHeader('content-type', 'application/x-ndjson');
  const line = (content, more) =>
    response.write(
      `${JSON.stringify({ model: 'bench:latest', created_at: '2026-11-25T12:00:00Z', message: { role: 'assistant', content }, ...more })}\n`,
    );
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    line(`${sent % 12 === 0 ? '\n\n' : ''}t${Date.now()} `, { done: false });
    if (sent < STAMPS_PER_SECOND * 8) return;
    clearInterval(timer);
    line('', { done: true, done_reason: 'stop', eval_count: sent });
    response.end();
  }, 1_000 / STAMPS_PER_SECOND);
  request.on('close', () => clearInterval(timer));
}
