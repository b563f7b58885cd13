// Readers of many streams at once, on raw sockets: each token's delay since its stamp, in µs. Prints nothing; answers
// `{ port, path, streams, token }` with the delays' percentiles once all streams have ended.
import { connect } from 'node:net';

const stamp = /~(\d{6,})~/g;
const now = () => Number(process.hrtime.bigint()) / 1000;

process.on('message', async ({ port, path, streams, token, skip }) => {
  const delays = [];
  let ended = 0;
  const body = JSON.stringify({
    model: 'bench',
    messages: [{ role: 'user', content: 'stream me' }],
    stream: true,
  });
  const ask = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(ask));
      let tail = '';
      let seen = 0;
      socket.setEncoding('latin1');
      socket.on('data', (piece) => {
        const at = now();
        const text = tail + piece;
        let used = 0;
        stamp.lastIndex = 0;
        for (let found = stamp.exec(text); found !== null; found = stamp.exec(text)) {
          used = stamp.lastIndex;
          // The first ones come while others are still being asked.
          if (++seen > skip) delays.push(at - Number(found[1]));
        }
        tail = text.slice(Math.max(used, text.length - 24));
        if (text.includes('\r\n0\r\n\r\n')) {
          ended++;
          socket.destroy();
          resolve();
        }
      });
      socket.on('error', reject);
      socket.on('close', resolve);
    });
  const all = [];
  for (let at = 0; at < streams; at++) {
    all.push(one());
    if (at % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(all);
  delays.sort((a, b) => a - b);
  const percentile = (part) => delays[Math.floor(part * (delays.length - 1))] ?? Number.NaN;
  process.send({
    tokens: delays.length,
    ended,
    p50: percentile(0.5),
    p99: percentile(0.99),
    longest: percentile(1),
  });
});
process.send({ port: 0 });
