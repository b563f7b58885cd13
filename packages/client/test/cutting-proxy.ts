import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that breaks connections in the middle of an answer, as a train in a tunnel does. */
export interface CuttingProxy {
  /** Same host, the proxy's port. */
  url: string;
  /** Connections that it broke so far. */
  cuts: number;
  /** The next connection that gets so far breaks: behind so many records of an answer and so many bytes more. */
  cutAfter(records: number, bytesMore?: number): void;
  /** The same behind whole records, and every other connection breaks as well, each new one until it is light: none slips through between. */
  goDarkAfter(records: number): void;
  /** Breaks every connection, and each new one, until it is light again. */
  goDark(): void;
  goLight(): void;
  close(): Promise<void>;
}

const streamed = /^content-type: *(?:application\/x-ndjson|text\/event-stream)/im;
const brace = '}'.charCodeAt(0);
const newline = '\n'.charCodeAt(0);

/** Starts one in front of a server of this machine. */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { port, pathname } = new URL(target);
  const open = new Set<Socket>();
  let cut: { records: number; bytesMore: number; thenDark?: boolean } | undefined;
  let isDark = false;
  const server = createServer((front) => {
    const back = connect(Number(port), '127.0.0.1');
    for (const socket of [front, back]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        front.destroy();
        back.destroy();
      });
    }
    if (isDark) {
      front.destroy();
      return;
    }
    front.on('data', (piece) => back.write(piece));
    // A script or a list of models that the page fetches meanwhile has lines that end so too.
    let isAnswer = false;
    let records = 0;
    let beyond = 0;
    let last = 0;
    back.on('data', (piece: Buffer) => {
      isAnswer ||= streamed.test(piece.toString('latin1'));
      for (let at = 0; isAnswer && cut && at < piece.length; at++) {
        const byte = piece[at] as number;
        // Every record ends in a line of its own, in NDJSON and in SSE; heads end in CR LF.
        if (records >= cut.records) beyond++;
        else if (byte === newline && last === brace) records++;
        last = byte;
        if (records < cut.records || beyond < cut.bytesMore) continue;
        if (cut.thenDark) {
          isDark = true;
          // Also those that are kept alive for the next request.
          for (const socket of open) if (socket !== front && socket !== back) socket.destroy();
        }
        cut = undefined;
        proxy.cuts++;
        // Not before the bytes have left, or it would be another cut.
        back.removeAllListeners('data').pause();
        front.write(piece.subarray(0, at + 1), () => setTimeout(() => front.resetAndDestroy(), 2));
        return;
      }
      front.write(piece);
    });
    back.on('end', () => front.end());
  });
  const proxy: CuttingProxy = {
    url: '',
    cuts: 0,
    cutAfter(records, bytesMore = 0) {
      cut = { records, bytesMore };
    },
    goDarkAfter(records) {
      cut = { records, bytesMore: 0, thenDark: true };
    },
    goDark() {
      isDark = true;
      for (const socket of open) socket.destroy();
    },
    goLight() {
      isDark = false;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`;
  return proxy;
}
