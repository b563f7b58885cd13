// A model server whose every token says when it was written: `~µs~` by the machine's monotonic clock, which all processes
// of it share. Raw sockets, so that it keeps up with 800 streams.
import { createServer } from 'node:net';

const everyMs = Number(process.env.EVERY_MS);
const tokens = Number(process.env.TOKENS);
const at = '2026-01-01T00:00:00.000000Z';
const before = `{"model":"bench:latest","created_at":"${at}","message":{"role":"assistant","content":" ~`;
const after = '~"},"done":false}\n';
const last = `{"model":"bench:latest","created_at":"${at}","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":5,"prompt_eval_count":9,"eval_count":${tokens},"eval_duration":4}\n`;
const lists = '{"models":[{"name":"bench:latest","model":"bench:latest","details":{}}],"version":"0.33.0"}';
const head = (type, rest) => `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${rest}\r\n\r\n`;
const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;

const streams = new Set();
const slots = 20;
let slot = 0;
setInterval(() => {
  slot = (slot + 1) % slots;
  for (const stream of streams) if (stream.slot === slot) stream.next();
}, everyMs / slots);

let made = 0;
function answer(socket) {
  socket.write(head('application/x-ndjson', 'Transfer-Encoding: chunked'));
  let left = tokens;
  const stream = {
    slot: made++ % slots,
    next() {
      if (left-- > 0)
        socket.write(chunk(`${before}${Math.round(Number(process.hrtime.bigint()) / 1000)}${after}`));
      else {
        streams.delete(stream);
        socket.write(`${chunk(last)}0\r\n\r\n`);
      }
    },
  };
  streams.add(stream);
  socket.once('close', () => streams.delete(stream));
}

const server = createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('error', () => {});
  socket.on('data', (piece) => {
    text += piece;
    for (;;) {
      const headEnd = text.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? 0);
      const isChunked = /transfer-encoding: *chunked/i.test(text.slice(0, headEnd));
      const bodyAt = headEnd + 4;
      const end = isChunked ? text.indexOf('0\r\n\r\n', bodyAt) + 5 : bodyAt + length;
      if ((isChunked && end < bodyAt + 5) || text.length < end) return;
      const isList = text.startsWith('GET ');
      text = text.slice(end);
      if (isList) socket.write(`${head('application/json', `Content-Length: ${lists.length}`)}${lists}`);
      else answer(socket);
    }
  });
});
server.listen(0, '127.0.0.1', 1024, () => process.send({ port: server.address().port }));
