import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { say, stall } from '@ziggie/llm-testing';
import { expect, test } from 'vitest';
import { maker, type SocketCase, socketCases } from '../../../packages/client/test/websocket/cases.ts';
import {
  closePayload,
  frameReader,
  opcodes,
  type ReadFrame,
} from '../../../packages/client/test/websocket/frames.ts';
import { leaveLater, token, until } from '../stream-harness.ts';
import { chatFrame, type SocketBench, startSockets } from './socket-bench.ts';

/** A client that speaks WebSocket by hand. */
interface RawClient {
  socket: Socket;
  texts: string[];
  control: ReadFrame[];
  isClosed: boolean;
}

const make = maker(true);

/** @param hangsUp Whether it ends its half when the server did. */
async function rawClient({ port }: SocketBench, hangsUp: boolean): Promise<RawClient> {
  const key = randomBytes(16).toString('base64');
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  leaveLater(() => void socket.destroy());
  const client: RawClient = { socket, texts: [], control: [], isClosed: false };
  const read = frameReader((found) => {
    if (found.opcode === opcodes.text) client.texts.push(found.payload.toString());
    else client.control.push(found);
  });
  let head = Buffer.alloc(0);
  const shaken = new Promise<void>((resolve) => {
    socket.on('data', (bytes: Buffer) => {
      if (head.includes('\r\n\r\n')) return read(bytes);
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      resolve();
      read(head.subarray(end + 4));
    });
  });
  socket.on('error', () => {});
  socket.on('end', () => hangsUp && socket.end());
  socket.on('close', () => {
    client.isClosed = true;
  });
  socket.write(
    `GET /api/llm/ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: ziggie.v1\r\n` +
      `Authorization: Bearer ${await token()}\r\n\r\n`,
  );
  await shaken;
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  expect(head.toString('latin1')).toContain(accept);
  return client;
}

const closeOf = ({ control }: RawClient): number | undefined => {
  const said = control.find(({ opcode }) => opcode === opcodes.close)?.payload;
  // A close without a code is answered in kind.
  return said && (said.length > 0 ? said.readUInt16BE(0) : 1005);
};
const hasEnded = ({ texts }: RawClient, id: string): boolean =>
  texts.some((text) => text.includes(`"id":"${id}"`) && text.includes('"type":"done"'));

const message = JSON.stringify(chatFrame('second', 1000, 'Grüße'));

/** Plays bytes while an answer runs on the same socket and another one on its neighbour. */
async function play(
  bytes: readonly Buffer[],
  { hangsUp = true, ...options }: { hangsUp?: boolean; limits?: { maxBodyBytes: number } } = {},
) {
  const bench = await startSockets(options);
  bench.ollama.fake.script([say('The '), stall()], { contains: 'first' });
  const client = await rawClient(bench, hangsUp);
  const other = await bench.open();
  client.socket.write(make(opcodes.text, JSON.stringify(chatFrame('first', 1000, 'first'))));
  await until(() => client.texts.some((text) => text.includes('"The"')));
  for (const piece of bytes) client.socket.write(piece);
  return { bench, client, other };
}

async function untouched({ bench, other }: Awaited<ReturnType<typeof play>>): Promise<void> {
  // The run of the socket that ended holds no slot, and the neighbour is answered.
  await bench.ollama.fake.waitFor((report) => report.openGenerations === 0);
  other.send(chatFrame('mine'));
  expect((await other.ended('mine')).type).toBe('done');
  expect(other.closed).toBeUndefined();
}

test.each(socketCases.map((one): [string, string, SocketCase] => [one.group, one.name, one]))(
  'kit, %s: %s',
  async (_, __, one) => {
    const played = await play(one.bytes(message, make));
    const { client } = played;
    if (one.delivered) {
      // Makes room for what came after it.
      client.socket.write(make(opcodes.text, '{"id":"first","type":"cancel"}'));
      await until(() => hasEnded(client, 'second'));
      const pongs = client.control.filter(({ opcode }) => opcode === opcodes.pong);
      expect(pongs.map(({ payload }) => payload.toString())).toEqual(one.pongs ?? []);
      client.socket.end();
    } else {
      await until(() => client.isClosed);
      expect(closeOf(client)).toBe(one.closes);
    }
    await until(() => client.isClosed);
    await untouched(played);
  },
);

test('kit: a frame that is not masked, which a client must not send, is refused', async () => {
  const played = await play([maker(false)(opcodes.text, message)]);
  await until(() => played.client.isClosed);
  expect(closeOf(played.client)).toBe(1002);
  await untouched(played);
});

test('kit: bytes instead of text are refused', async () => {
  const played = await play([make(opcodes.binary, message)]);
  await until(() => closeOf(played.client) !== undefined);
  expect(closeOf(played.client)).toBe(1003);
  played.client.socket.end();
  await untouched(played);
});

test.each([
  ['one frame', [make(opcodes.text, 'x', { claims: 2n ** 31n })]],
  [
    'fragments that add up',
    [make(opcodes.text, 'x'.repeat(60_000), { fin: false }), make(opcodes.continuation, 'x'.repeat(60_000))],
  ],
])('kit: %s beyond the size of a body is 1009', async (_, bytes) => {
  const played = await play(bytes, { limits: { maxBodyBytes: 100_000 } });
  await until(() => closeOf(played.client) !== undefined);
  expect(closeOf(played.client)).toBe(1009);
  played.client.socket.end();
  await untouched(played);
});

test.each([
  ['breaks the rules', make(opcodes.text, message, { rsv: 1 })],
  ['says goodbye', make(opcodes.close, closePayload(1000))],
])('kit: a client that %s and keeps its end open is not waited for', async (_, bytes) => {
  const played = await play([bytes], { hangsUp: false });
  const before = performance.now();
  await played.bench.ollama.fake.waitFor((report) => report.openGenerations === 0);
  // Well below the time in which a socket that does not close is cut off.
  expect(performance.now() - before).toBeLessThan(2_500);
  expect(played.client.isClosed).toBe(false);
  played.client.socket.destroy();
  await untouched(played);
});

test.each(['end', 'resetAndDestroy'] as const)(
  'kit: the connection ends (%s) without a close',
  async (how) => {
    const played = await play([]);
    played.client.socket[how]();
    await untouched(played);
  },
);

test('kit: a client that closes its half in the middle of a frame lets go of everything', async () => {
  const played = await play([make(opcodes.text, message).subarray(0, 9)]);
  played.client.socket.end();
  await untouched(played);
});
