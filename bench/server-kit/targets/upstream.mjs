// A model server for measurements: small whole answers at once, and streams at a pace, every token a write of its own.
import { createServer } from 'node:http';

const everyMs = Number(process.env.EVERY_MS);
const tokens = Number(process.env.TOKENS);
const record = (content) =>
  `${JSON.stringify({ model: 'bench:latest', created_at: '2026-01-01T00:00:00.000000Z', message: { role: 'assistant', content }, done: false })}\n`;
const last = (count) =>
  `${JSON.stringify({ model: 'bench:latest', created_at: '2026-01-01T00:00:00.000000Z', message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', total_duration: 5, prompt_eval_count: 9, eval_count: count, eval_duration: 4 })}\n`;
const token = Buffer.from(record(' token'));
const streams = new Set();
// One timer for all, and not all in one tick: the streams are spread over ten slots.
let slot = 0;
setInterval(() => {
  slot = (slot + 1) % 10;
  for (const stream of streams) if (stream.slot === slot) stream.next();
}, everyMs / 10);
let made = 0;
const lists = JSON.stringify({
  models: [{ name: 'bench:latest', model: 'bench:latest', details: {} }],
  version: '0.33.0',
});
/** 200 MB as fast as they are taken. */
let written = 0;
function flood(res) {
  const piece = Buffer.from(record('x'.repeat(16 * 1024)));
  const more = () => {
    while (written < 200_000_000) {
      written += piece.byteLength;
      if (!res.write(piece)) {
        res.once('drain', more);
        return;
      }
    }
    res.end(last(1));
  };
  more();
}
process.on('message', (message) => {
  if (message === 'written') process.send({ written });
});

const server = createServer((req, res) => {
  if (req.method === 'GET') {
    res.setHeader('content-type', 'application/json');
    res.end(lists);
    return;
  }
  let body = '';
  req.setEncoding('utf8');
  req.on('data', (chunk) => {
    body += chunk;
  });
  req.on('end', () => {
    res.setHeader('content-type', 'application/x-ndjson');
    if (body.includes('long answer')) {
      flood(res);
      return;
    }
    if (body.includes('slow')) {
      const timer = setInterval(() => res.write(token), 1000);
      res.write(token);
      res.on('close', () => clearInterval(timer));
      return;
    }
    if (!body.includes('stream me')) {
      res.end(
        `${JSON.stringify({
          model: 'bench:latest',
          created_at: '2026-01-01T00:00:00.000000Z',
          message: { role: 'assistant', content: 'A short answer.' },
          done: true,
          done_reason: 'stop',
          total_duration: 5,
          prompt_eval_count: 9,
          eval_count: 4,
          eval_duration: 4,
        })}\n`,
      );
      return;
    }
    let left = tokens;
    res.socket.setNoDelay(true);
    const stream = {
      slot: made++ % 10,
      next() {
        if (left-- > 0) res.write(token);
        else {
          streams.delete(stream);
          res.end(last(tokens));
        }
      },
    };
    streams.add(stream);
    res.on('close', () => streams.delete(stream));
  });
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
