import { Agent, createServer, request } from 'node:http';
import { ready, upstream } from './shared.mjs';

const { hostname, port } = new URL(upstream);
const agent = new Agent({ keepAlive: true, maxSockets: 1000 });
ready(
  createServer((req, res) => {
    const out = request(
      { hostname, port, path: req.url, method: req.method, headers: req.headers, agent },
      (answer) => {
        res.writeHead(answer.statusCode, answer.headers);
        answer.pipe(res);
      },
    );
    out.on('error', () => res.destroy());
    res.on('close', () => out.destroy());
    req.pipe(out);
  }),
);
