import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket as NodeSocket } from 'ws';
import { createClient, isZiggieError, type ZiggieError } from '../../src/index.ts';
import { type OpenWebSocket, webSocketTransport } from '../../src/websocket.ts';
import { done, failureOf, question, start, text } from '../samples.ts';
import { maker, type SocketCase, socketCases } from './cases.ts';
import { closePayload, opcodes } from './frames.ts';
import { type RawSide, rawServer } from './raw-server.ts';

const open: OpenWebSocket = (url, protocols, headers) => new NodeSocket(url, [...protocols], { headers });
const make = maker(false);
/** Sockets take a moment; a test waits for the state it names. */
const until = (holds: () => unknown): Promise<unknown> => vi.waitFor(holds, { interval: 2, timeout: 10_000 });

const event = (id: string, seq: number, body: object): string =>
  JSON.stringify({ id, event: { ...body, seq } });
const send = (side: RawSide, id: string, seq: number, body: object): void =>
  void side.socket.write(make(opcodes.text, event(id, seq, body)));

function clientOf(url: string) {
  const transport = webSocketTransport({ open });
  onTestFinished(() => transport.close());
  const noise: unknown[] = [];
  const hear = (reason: unknown): void => void noise.push(reason);
  process.on('unhandledRejection', hear);
  onTestFinished(() => void process.off('unhandledRejection', hear));
  const client = createClient({ baseUrl: url, transport, retry: { maxAttempts: 1 } });
  return { client, transport, noise };
}

/** What an answer ends with when the case ends its socket. */
const codeOf = ({ closes = 1000 }: SocketCase): string => {
  if (closes === 1002 || closes === 1003 || closes === 1007) return 'malformed_record';
  if (closes === 1008) return 'forbidden';
  return closes === 1009 ? 'payload_too_large' : 'truncated';
};

/** Plays bytes in the middle of an answer; the next socket answers as it should. */
async function play(bytes: (message: string) => Buffer[]) {
  const server = await rawServer((side, id) => {
    const isFirst = side === server.sides[0];
    send(side, id, 0, start);
    send(side, id, 1, text('The '));
    if (!isFirst) return send(side, id, 2, done);
    for (const piece of bytes(event(id, 2, text('Grüße.')))) side.socket.write(piece);
    send(side, id, 3, done);
  });
  const { client, transport, noise } = clientOf(server.url);
  const end = await client
    .chat(question)
    .final()
    .catch((error: unknown) => error);
  return { server, client, transport, noise, end };
}

test.each(socketCases.map((one) => [one.group, one.name, one] as const))(
  'client, %s: %s',
  async (_, __, one) => {
    const { server, client, transport, noise, end } = await play((message) => one.bytes(message, make));
    const [side] = server.sides as [RawSide];
    if (one.delivered) {
      expect(end).toMatchObject({ text: 'The Grüße.' });
      if (one.pongs) {
        await until(() =>
          expect(side.control.map(({ opcode, payload }) => [opcode, payload.toString()])).toEqual(
            one.pongs?.map((payload) => [opcodes.pong, payload]),
          ),
        );
      }
    } else {
      if (!isZiggieError(end)) throw end;
      expect(end).toMatchObject({ code: codeOf(one), partial: { text: 'The ' } });
      await until(() => expect(side.isClosed).toBe(true));
      const said = side.control.find(({ opcode }) => opcode === opcodes.close)?.payload;
      // A close without a code is answered in kind.
      expect(said?.length ? said.readUInt16BE(0) : 1005).toBe(one.closes);
      // The client goes on over another socket.
      expect(await client.chat(question).text()).toBe('The ');
      expect(server.sides).toHaveLength(2);
    }
    transport.close();
    await until(() => expect(server.sides.every(({ isClosed }) => isClosed)).toBe(true));
    expect(noise).toEqual([]);
  },
);

test('client: a frame that is masked, which a server must not do, is refused', async () => {
  const { end } = await play((message) => [maker(true)(opcodes.text, message)]);
  expect(end).toMatchObject({ code: 'malformed_record', partial: { text: 'The ' } });
});

test('client: bytes instead of text are no frame of the kit', async () => {
  const { end, server } = await play((message) => [make(opcodes.binary, message)]);
  expect(end).toMatchObject({ code: 'malformed_record', partial: { text: 'The ' } });
  await until(() => expect(server.sides[0]?.isClosed).toBe(true));
});

test('client: a head that claims more than any message may have is response_too_large, before the bytes', async () => {
  const { end } = await play(() => [make(opcodes.text, 'x', { claims: 2n ** 40n })]);
  expect(end).toMatchObject({ code: 'response_too_large', partial: { text: 'The ' } });
});

test.each(['end', 'destroy'] as const)('client: the connection ends (%s) without a close', async (how) => {
  const server = await rawServer((side, id) => {
    send(side, id, 0, start);
    send(side, id, 1, text('The '));
    side.socket.once('drain', () => {});
    setTimeout(() => side.socket[how](), 10);
  });
  const { client } = clientOf(server.url);
  const end = await client
    .chat(question)
    .text()
    .catch((error: unknown) => error);
  expect(end).toMatchObject({ code: 'truncated', partial: { text: 'The ' } });
  await until(() => expect(server.sides[0]?.isClosed).toBe(true));
});

test('client: every answer on a socket that broke the rules is told, each with what it had', async () => {
  const server = await rawServer((side, id) => {
    send(side, id, 0, start);
    send(side, id, 1, text(`${id} `));
    if (side.asked.length === 3) side.socket.write(make(opcodes.text, 'x', { rsv: 4 }));
  });
  const { client } = clientOf(server.url);
  const ends = await Promise.all(['1', '2', '3'].map(() => failureOf(client.chat(question).text())));
  for (const end of ends) expect(end).toMatchObject({ code: 'malformed_record' });
  expect(ends.map((end) => (end as ZiggieError).partial?.text).sort()).toEqual(['1 ', '2 ', '3 ']);
});

test('client: it closes with 1000 when nobody needs the socket any more', async () => {
  const server = await rawServer((side, id) => {
    send(side, id, 0, start);
    send(side, id, 1, done);
  });
  const { client, transport } = clientOf(server.url);
  await client.chat(question).text();
  transport.close();
  const [side] = server.sides as [RawSide];
  await until(() => expect(side.control.at(-1)?.payload).toEqual(closePayload(1000)));
});
