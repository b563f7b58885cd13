/** Frames of RFC 6455 by hand: right ones and wrong ones. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  /** Default: the last of its message. */
  fin?: boolean;
  /** The three reserved bits, as a number from 0 to 7. */
  rsv?: number;
  /** What goes from a client is masked, what comes from a server is not. */
  masked?: boolean;
  /** The length that the head claims, where it is not that of the payload. */
  claims?: bigint;
}

export function frame(
  opcode: number,
  payload: string | Uint8Array = '',
  { fin = true, rsv = 0, masked = false, claims }: FrameOptions = {},
): Buffer {
  const data = Buffer.from(payload as Uint8Array);
  const length = claims ?? BigInt(data.length);
  const bit = masked ? 0x80 : 0;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const extended = Buffer.alloc(length < 126n ? 0 : length < 65_536n ? 2 : 8);
  if (length < 126n) head.push(bit | Number(length));
  else if (length < 65_536n) {
    head.push(bit | 126);
    extended.writeUInt16BE(Number(length));
  } else {
    head.push(bit | 127);
    extended.writeBigUInt64BE(length);
  }
  const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  if (!masked) return Buffer.concat([Buffer.from(head), extended, data]);
  const hidden = data.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([Buffer.from(head), extended, mask, hidden]);
}

export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason as Uint8Array)]);
}

export interface ReadFrame {
  opcode: number;
  fin: boolean;
  payload: Buffer;
}

/** Takes bytes as they come and gives the frames in them. */
export function frameReader(onFrame: (found: ReadFrame) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      if (rest.length < 2) return;
      const [first = 0, second = 0] = rest;
      let length = second & 0x7f;
      let at = 2;
      if (length === 126) {
        if (rest.length < 4) return;
        length = rest.readUInt16BE(2);
        at = 4;
      } else if (length === 127) {
        if (rest.length < 10) return;
        length = Number(rest.readBigUInt64BE(2));
        at = 10;
      }
      const isMasked = (second & 0x80) !== 0;
      const mask = rest.subarray(at, at + 4);
      if (isMasked) at += 4;
      if (rest.length < at + length) return;
      const payload = Buffer.from(rest.subarray(at, at + length));
      if (isMasked)
        for (let index = 0; index < length; index++)
          payload[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0);
      rest = rest.subarray(at + length);
      onFrame({ opcode: first & 0x0f, fin: (first & 0x80) !== 0, payload });
    }
  };
}
