import { createSocket } from 'node:dgram';

/** A record of a service, as the name server of the tests gives it. */
export interface Served {
  priority?: number;
  weight?: number;
  port: number;
  target: string;
}

/** A name server on a real UDP socket that knows one service. `undefined` answers "no such name" (NXDOMAIN). */
export async function startNameServer() {
  const socket = createSocket('udp4');
  const state: { records: readonly Served[] | undefined; asked: string[] } = { records: [], asked: [] };
  socket.on('message', (query, { port, address }) => {
    const { name, end } = nameAt(query);
    state.asked.push(name);
    const { records } = state;
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(records === undefined ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(records?.length ?? 0, 6);
    head.writeUInt32BE(0, 8);
    const answers = (records ?? []).map(({ priority = 0, weight = 1, port: at, target }) => {
      const data = Buffer.concat([Buffer.alloc(6), encoded(target)]);
      data.writeUInt16BE(priority, 0);
      data.writeUInt16BE(weight, 2);
      data.writeUInt16BE(at, 4);
      const row = Buffer.alloc(12);
      // A pointer to the name that was asked for, type SRV, class IN, one second.
      row.writeUInt16BE(0xc00c, 0);
      row.writeUInt16BE(33, 2);
      row.writeUInt16BE(1, 4);
      row.writeUInt32BE(1, 6);
      row.writeUInt16BE(data.length, 10);
      return Buffer.concat([row, data]);
    });
    socket.send(Buffer.concat([head, query.subarray(12, end), ...answers]), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    state,
    address: `127.0.0.1:${socket.address().port}`,
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

function nameAt(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.'), end: at + 5 };
}

function encoded(name: string): Buffer {
  const labels = name.split('.').filter(Boolean);
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}
