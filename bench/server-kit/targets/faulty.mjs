// A model server of short streams, one in a hundred of which goes wrong. The kinds come in turn, so that two runs are alike.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const at = '2026-01-01T00:00:00.000000Z';
const line = (fields) => `${JSON.stringify({ model: 'bench:latest', created_at: at, ...fields })}\n`;
const token = line({ message: { role: 'assistant', content: ' token' }, done: false });
const last = line({
  message: { role: 'assistant', content: '' },
  done: true,
  done_reason: 'stop',
  total_duration: 5,
  prompt_eval_count: 9,
  eval_count: 5,
  eval_duration: 4,
});
const lists = JSON.stringify({
  models: [{ name: 'bench:latest', model: 'bench:latest', details: {} }],
  version: '0.33.0',
});
const head = (res) => res.writeHead(200, { 'content-type': 'application/x-ndjson' });
const some = (res) => {
  head(res);
  res.write(token + token);
};
/** What goes wrong. */
const faults = [
  (res) => res.destroy(),
  (res) => some(res) || setImmediate(() => res.destroy()),
  (res) => some(res) || res.end(),
  (res) => some(res) || res.end('{"model":"bench'),
  (res) => some(res) || res.end('<html>\n'),
  (res) => some(res) || res.end('{"error":"CUDA error: out of memory"}\n'),
  (res) => res.writeHead(500).end('{"error":"llama runner process has terminated"}'),
  (res) => res.writeHead(503).end('{"error":"server busy"}'),
];
const counts = { streams: 0, faults: 0 };

const server = createServer((req, res) => {
  if (req.method === 'GET') {
    res.setHeader('content-type', 'application/json').end(lists);
    return;
  }
  req.resume().on('end', async () => {
    if (++counts.streams % 100 === 0) {
      faults[counts.faults++ % faults.length](res);
      return;
    }
    head(res);
    res.write(token + token);
    await sleep(1);
    res.write(token + token + token);
    res.end(last);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', (message) => {
  if (message === 'counts') process.send(counts);
});
