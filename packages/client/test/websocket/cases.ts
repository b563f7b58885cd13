import { closePayload, type FrameOptions, frame, opcodes } from './frames.ts';

/** What must become of a case. */
export interface Outcome {
  /** The message arrives whole. */
  delivered?: true;
  /** The end that was tested closes with this code. */
  closes?: number;
  /** The end that sent the case was answered with these pongs. */
  pongs?: readonly string[];
}

/** One thing that may come over a WebSocket, in the groups of the Autobahn test suite. */
export interface SocketCase extends Outcome {
  group: string;
  name: string;
  /** The bytes, in pieces as they are written. @param message A message that the other end answers or understands. */
  bytes(message: string, make: MakeFrame): Buffer[];
}

/** Makes a frame in the direction of the case: masked where a client sends. */
export type MakeFrame = (opcode: number, payload?: string | Uint8Array, options?: FrameOptions) => Buffer;

const { continuation, text, close, ping, pong } = opcodes;
const delivered = { delivered: true } as const;
const refused = { closes: 1002 } as const;
const notUtf8 = { closes: 1007 } as const;

/** A message whose JSON is made so long by white space, which changes nothing. */
const padded = (message: string, bytes: number): string =>
  message + ' '.repeat(Math.max(0, bytes - Buffer.byteLength(message)));
/** A message with these bytes in a string of it, where any text may stand. */
const holding = (message: string, inside: Uint8Array): Buffer => {
  const at = message.indexOf('"') + 1;
  const marker = `"${message.slice(at, message.indexOf('"', at))}"`;
  return Buffer.concat([
    Buffer.from(`{"note":"`),
    Buffer.from(inside),
    Buffer.from(`",${message.slice(message.indexOf(marker))}`),
  ]);
};

const one = (group: string, name: string, outcome: Outcome, bytes: SocketCase['bytes']): SocketCase => ({
  group,
  name,
  ...outcome,
  bytes,
});

const framing = [126, 127, 128, 255, 256, 65_535, 65_536, 200_000].map((size) =>
  one('1 framing', `a text of ${size} bytes`, delivered, (message, make) => [
    make(text, padded(message, size)),
  ]),
);

const pings: SocketCase[] = [
  one('2 pings', 'a ping without a payload', { ...delivered, pongs: [''] }, (message, make) => [
    make(ping),
    make(text, message),
  ]),
  one('2 pings', 'a ping with 125 bytes', { ...delivered, pongs: ['p'.repeat(125)] }, (message, make) => [
    make(ping, 'p'.repeat(125)),
    make(text, message),
  ]),
  one('2 pings', 'a ping with 126 bytes', refused, (_, make) => [make(ping, 'p'.repeat(126))]),
  one('2 pings', 'a pong that nobody asked for', delivered, (message, make) => [
    make(pong, 'x'),
    make(text, message),
  ]),
  one('2 pings', 'ten pings at once', { ...delivered, pongs: [...'0123456789'] }, (message, make) => [
    Buffer.concat([...'0123456789'].map((digit) => make(ping, digit))),
    make(text, message),
  ]),
  one('2 pings', 'a ping byte by byte', { ...delivered, pongs: ['slow'] }, (message, make) => [
    ...[...make(ping, 'slow')].map((byte) => Buffer.from([byte])),
    make(text, message),
  ]),
];

const reserved = [1, 2, 3, 4, 5, 6, 7].map((rsv) =>
  one('3 reserved bits', `bits ${rsv.toString(2).padStart(3, '0')}`, refused, (message, make) => [
    make(text, message, { rsv }),
  ]),
);

const unknown = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) =>
  one('4 opcodes', `opcode ${opcode}`, refused, (_, make) => [make(opcode, 'x')]),
);

const half = (message: string): [string, string] => [message.slice(0, 9), message.slice(9)];
const fragments: SocketCase[] = [
  one('5 fragments', 'a text in two', delivered, (message, make) => [
    make(text, half(message)[0], { fin: false }),
    make(continuation, half(message)[1]),
  ]),
  one('5 fragments', 'a text in one for each byte', delivered, (message, make) => [
    Buffer.concat(
      [...message].map((sign, at) =>
        make(at === 0 ? text : continuation, sign, { fin: at === message.length - 1 }),
      ),
    ),
  ]),
  one('5 fragments', 'a ping in between', { ...delivered, pongs: ['between'] }, (message, make) => [
    make(text, half(message)[0], { fin: false }),
    make(ping, 'between'),
    make(continuation, half(message)[1]),
  ]),
  one('5 fragments', 'empty ones', delivered, (message, make) => [
    make(text, '', { fin: false }),
    make(continuation, '', { fin: false }),
    make(continuation, message),
  ]),
  one('5 fragments', 'a ping that is one', refused, (_, make) => [make(ping, 'x', { fin: false })]),
  one('5 fragments', 'a close that is one', refused, (_, make) => [
    make(close, closePayload(1000), { fin: false }),
  ]),
  one('5 fragments', 'a continuation of nothing', refused, (message, make) => [make(continuation, message)]),
  one('5 fragments', 'a new text before the end of the last', refused, (message, make) => [
    make(text, half(message)[0], { fin: false }),
    make(text, message),
  ]),
];

const texts: [name: string, bytes: number[]][] = [
  ['a byte that begins nothing', [0x80]],
  ['a character that is cut', [0xe6, 0x9d]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['beyond the last character', [0xf4, 0x90, 0x80, 0x80]],
  ['five bytes for one', [0xf8, 0x88, 0x80, 0x80, 0x80]],
];
const utf8: SocketCase[] = [
  ...texts.map(([name, inside]) =>
    one('6 UTF-8', name, notUtf8, (message, make) => [make(text, holding(message, Uint8Array.from(inside)))]),
  ),
  one('6 UTF-8', 'a wrong character over two fragments', notUtf8, (message, make) => {
    const whole = holding(message, Uint8Array.from([0xed, 0xa0, 0x80]));
    const at = whole.indexOf(0xed) + 1;
    return [make(text, whole.subarray(0, at), { fin: false }), make(continuation, whole.subarray(at))];
  }),
  one('6 UTF-8', 'a right character over two fragments', delivered, (message, make) => {
    const whole = Buffer.from(padded(message, 0));
    const wide = whole.findIndex((byte) => byte >= 0x80);
    const at = wide === -1 ? 5 : wide + 1;
    return [make(text, whole.subarray(0, at), { fin: false }), make(continuation, whole.subarray(at))];
  }),
];

const closing: SocketCase[] = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 3000, 4000, 4999].map((code) =>
    one('7 closing', `close ${code}`, { closes: code }, (_, make) => [
      make(close, closePayload(code, 'why')),
    ]),
  ),
  one('7 closing', 'close without a code', { closes: 1005 }, (_, make) => [make(close)]),
  one('7 closing', 'close with one byte', refused, (_, make) => [make(close, 'x')]),
  ...[0, 999, 1004, 1005, 1006, 1015, 1100, 2999, 5000].map((code) =>
    one('7 closing', `close ${code}, which may not be sent`, refused, (_, make) => [
      make(close, closePayload(code)),
    ]),
  ),
  one('7 closing', 'a reason that is no UTF-8', notUtf8, (_, make) => [
    make(close, closePayload(1000, Uint8Array.from([0xc0, 0xaf]))),
  ]),
  one('7 closing', 'close with 124 bytes of reason', refused, (_, make) => [
    make(close, closePayload(1000, 'r'.repeat(124))),
  ]),
  one('7 closing', 'a text after the close', { closes: 1000 }, (message, make) => [
    make(close, closePayload(1000)),
    make(text, message),
  ]),
];

/** What implementations that fragment by themselves send: 10.1.1 of the suite is the first of these. */
const autoFragmented: SocketCase[] = [1_300, 1_021, 64].map((size) =>
  one('10 auto-fragmentation', `a text of 65536 bytes in frames of ${size}`, delivered, (message, make) => {
    const whole = Buffer.from(padded(message, 65_536));
    const frames: Buffer[] = [];
    for (let at = 0; at < whole.length; at += size) {
      const fin = at + size >= whole.length;
      frames.push(make(at === 0 ? text : continuation, whole.subarray(at, at + size), { fin }));
    }
    return [Buffer.concat(frames)];
  }),
);

/** The cases that hold for both ends. */
export const socketCases: readonly SocketCase[] = [
  ...framing,
  ...pings,
  ...reserved,
  ...unknown,
  ...fragments,
  ...utf8,
  ...closing,
  ...autoFragmented,
];

/** @param masked Whether the case goes from a client to a server. */
export const maker =
  (masked: boolean): MakeFrame =>
  (opcode, payload, options) =>
    frame(opcode, payload, { masked, ...options });
