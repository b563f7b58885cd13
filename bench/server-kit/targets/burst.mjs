// A model server that answers at once, with so many tokens as `num_predict` says.
import { createServer } from 'node:http';
import { ready } from './shared.mjs';

const record = (content, more) =>
  `${JSON.stringify({ model: 'bench:latest', message: { role: 'assistant', content }, done: false, ...more })}\n`;
const token = record(' token');
const lists = JSON.stringify({ models: [{ name: 'bench:latest', model: 'bench:latest', digest: 'ab' }] });
const server = createServer((req, res) => {
  let body = '';
  req.setEncoding('utf8');
  req.on('data', (piece) => {
    body += piece;
  });
  req.on('end', () => {
    if (req.method === 'GET') return res.end(lists);
    const count = JSON.parse(body).options.num_predict;
    res.setHeader('content-type', 'application/x-ndjson');
    let left = count;
    const more = () => {
      // A write of its own for every few tokens, as they come from a fast model.
      for (let at = 0; at < 10 && left > 0; at++, left -= 4) res.write(token.repeat(Math.min(4, left)));
      if (left > 0) setImmediate(more);
      else {
        const figures = { done: true, done_reason: 'stop', prompt_eval_count: 9, eval_count: count };
        res.end(record('', figures));
      }
    };
    more();
  });
});
ready(server);
