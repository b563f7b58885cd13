import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedResponse } from './malformed-response.ts';
import type { ResponseHead } from './response-head.ts';
import { ResponseParser } from './response-parser.ts';

interface Parsed {
  head: ResponseHead | undefined;
  body: string;
  isWhole: boolean;
  keepsAlive: boolean;
  idleMs: number | undefined;
}

/** One answer that arrives in these pieces; `closes` after the last. */
function parse(pieces: readonly Buffer[], closes = false): Parsed {
  let head: ResponseHead | undefined;
  let body = '';
  const parser = new ResponseParser({
    onHead: (found) => {
      if (head) throw new Error('Two heads of one answer.');
      head = found;
    },
    onBody: (read, from, to) => {
      body += read.toString('latin1', from, to);
    },
  });
  parser.begin();
  feed(parser, pieces);
  if (closes) parser.end();
  const { isWhole, keepsAlive, idleMs } = parser;
  return { head, body, isWhole, keepsAlive, idleMs };
}

/** As on a connection: all pieces in one buffer, behind each what an earlier one left there. */
function feed(parser: ResponseParser, pieces: readonly Buffer[]): void {
  const longest = pieces.reduce((most, { length }) => Math.max(most, length), 0);
  const buffer = Buffer.alloc(longest + 16, '\r\n0\r\n\r\n');
  for (const piece of pieces) {
    piece.copy(buffer);
    parser.read(buffer, piece.length);
  }
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

function everyCut(text: string): Buffer[][] {
  const all = bytes(text);
  const cuts: Buffer[][] = [[all], [...all].map((byte) => Buffer.from([byte]))];
  for (let at = 1; at < all.length; at++) cuts.push([all.subarray(0, at), all.subarray(at)]);
  return cuts;
}

const ok = 'HTTP/1.1 200 OK\r\n';

const good: [name: string, text: string, expected: Partial<Parsed> & { closes?: boolean }][] = [
  ['a length', `${ok}Content-Length: 5\r\n\r\nhello`, { body: 'hello', keepsAlive: true }],
  ['a length of nothing', `${ok}content-length:0\r\n\r\n`, { body: '', keepsAlive: true }],
  [
    'chunks',
    `${ok}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n, chunked!\r\n0\r\n\r\n`,
    { body: 'hello, chunked!', keepsAlive: true },
  ],
  [
    'a chunk that holds what looks like an end',
    `${ok}Transfer-Encoding: Chunked\r\n\r\n7\r\n0\r\n\r\nab\r\n0\r\n\r\n`,
    { body: '0\r\n\r\nab', keepsAlive: true },
  ],
  [
    'extensions and trailers',
    `${ok}transfer-encoding: chunked\r\n\r\n2;a=b;c="d e"\r\nhi\r\n0\r\nX-Sum: 1\r\nX-More:\r\n\r\n`,
    { body: 'hi', keepsAlive: true },
  ],
  ['no framing, up to the end', `${ok}\r\nall of it`, { body: 'all of it', keepsAlive: false, closes: true }],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', { body: 'ok', keepsAlive: false }],
  ['a server that closes', `${ok}Connection: x, Close\r\ncontent-length: 2\r\n\r\nok`, { keepsAlive: false }],
  ['a time to live', `${ok}Keep-Alive: timeout=5, max=9\r\ncontent-length: 0\r\n\r\n`, { idleMs: 5000 }],
  ['no reason', 'HTTP/1.1 200\r\ncontent-length: 1\r\n\r\nx', { body: 'x' }],
  ['204 has no body', 'HTTP/1.1 204 No Content\r\n\r\n', { body: '', keepsAlive: true }],
  [
    'informational answers before it',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${ok}content-length: 1\r\n\r\nx`,
    { body: 'x', keepsAlive: true },
  ],
  [
    'bytes of Latin-1 and tabs in values',
    `${ok}x-name: \xe4\t\xff \r\ncontent-length: 1\r\n\r\nx`,
    { body: 'x' },
  ],
];

describe('an answer', () => {
  test.each(good)('with %s is the same wherever it is cut', (_, text, { closes = false, ...expected }) => {
    for (const pieces of everyCut(text)) {
      const parsed = parse(pieces, closes);
      expect(parsed).toMatchObject({ isWhole: true, ...expected });
    }
  });

  test.each(good.filter(([, , { closes }]) => !closes))(
    'with %s is not whole, and no clean end, before its last byte',
    (_, text) => {
      const all = bytes(text);
      for (let at = 0; at < all.length; at++) {
        expect(parse([all.subarray(0, at)]).isWhole).toBe(false);
        expect(() => parse([all.subarray(0, at)], true)).toThrow(MalformedResponse);
      }
    },
  );

  test.each(good.filter(([, , { closes, keepsAlive }]) => !closes && keepsAlive))(
    'with %s and something behind it keeps no connection',
    (_, text, { body = '' }) => {
      for (const more of ['x', '\r\n', text]) {
        for (const pieces of everyCut(text + more)) {
          expect(parse(pieces)).toMatchObject({ isWhole: true, keepsAlive: false, body });
        }
      }
    },
  );

  test('tells what the kit reads of its head', () => {
    const text = `${ok}Content-Type: text/x; a=b\r\nRetry-After: 3\r\nDate: D\r\nContent-Length: 0\r\n\r\n`;
    expect(parse([bytes(text)]).head).toEqual({
      status: 200,
      contentType: 'text/x; a=b',
      retryAfter: '3',
      date: 'D',
    });
  });
});

const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;
const bad: [name: string, text: string][] = [
  ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['TLS', '\x15\x03\x01\x00\x02\x02\x16'],
  ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
  ['a line before the status line', `\r\n${ok}\r\n`],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a status of 600', 'HTTP/1.1 600 No\r\n\r\n'],
  ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
  ['lines that end in LF', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
  ['one line that ends in LF', `${ok}x: y\ncontent-length: 0\r\n\r\n`],
  ['a line that ends in CR', `${ok}x: y\rcontent-length: 0\r\n\r\n`],
  ['a folded line', `${ok}x: y\r\n z\r\ncontent-length: 0\r\n\r\n`],
  ['a folded line with a tab', `${ok}x: y\r\n\tz\r\n\r\n`],
  ['a space before the colon', `${ok}content-length : 0\r\n\r\n`],
  ['a name of nothing', `${ok}: x\r\n\r\n`],
  ['a name with a space', `${ok}a b: x\r\n\r\n`],
  ['a line without a colon', `${ok}content-length\r\n\r\n`],
  ['a NUL in a value', `${ok}x: a\0b\r\n\r\n`],
  ['a NUL in a name', `${ok}x\0: b\r\n\r\n`],
  ['a DEL in a value', `${ok}x: a\x7fb\r\n\r\n`],
  ['two lengths', `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nab`],
  ['the same length twice', `${ok}content-length: 1\r\ncontent-length: 1\r\n\r\na`],
  ['a list of lengths', `${ok}content-length: 1, 1\r\n\r\na`],
  ['a length with a sign', `${ok}content-length: +1\r\n\r\na`],
  ['a negative length', `${ok}content-length: -1\r\n\r\n`],
  ['a length in hex', `${ok}content-length: 0x1\r\n\r\na`],
  ['a length of nothing', `${ok}content-length:\r\n\r\n`],
  ['a length with a space', `${ok}content-length: 1 1\r\n\r\na`],
  ['a length beyond numbers', `${ok}content-length: 99999999999999999999\r\n\r\n`],
  ['a length and chunks', `${ok}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunks and a length', `${ok}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n`],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['another encoding', `${ok}transfer-encoding: gzip\r\n\r\n`],
  ['two encodings', `${ok}transfer-encoding: gzip, chunked\r\n\r\n`],
  ['two encodings in two lines', `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`],
  ['an encoding that is nearly chunked', `${ok}transfer-encoding: xchunked\r\n\r\n`],
  ['an encoding with a quirk', `${ok}transfer-encoding: "chunked"\r\n\r\n`],
  ['an encoding with a vertical tab', `${ok}transfer-encoding:\x0bchunked\r\n\r\n`],
  ['a chunk without a size', `${chunked}\r\nabc\r\n0\r\n\r\n`],
  ['a chunk size with a sign', `${chunked}+1\r\na\r\n0\r\n\r\n`],
  ['a chunk size with 0x', `${chunked}0x1\r\na\r\n0\r\n\r\n`],
  ['a chunk size before a space', `${chunked}1 \r\na\r\n0\r\n\r\n`],
  ['a chunk size after a space', `${chunked} 1\r\na\r\n0\r\n\r\n`],
  ['a chunk size of many digits', `${chunked}000000001\r\na\r\n0\r\n\r\n`],
  ['a chunk size that ends in LF', `${chunked}1\na\r\n0\r\n\r\n`],
  ['a chunk size with a CR alone', `${chunked}1\ra\r\n0\r\n\r\n`],
  ['a control character in an extension', `${chunked}1;\0\r\na\r\n0\r\n\r\n`],
  ['an endless extension', `${chunked}1;${'x'.repeat(300)}`],
  ['a chunk that is longer than it says', `${chunked}1\r\nab\r\n0\r\n\r\n`],
  ['a chunk that ends in LF', `${chunked}1\r\na\n0\r\n\r\n`],
  ['a chunk that ends in CR', `${chunked}1\r\na\r0\r\n\r\n`],
  ['a trailer that ends in LF', `${chunked}0\r\nx: y\n\r\n`],
  ['a folded trailer', `${chunked}0\r\nx: y\r\n z\r\n\r\n`],
  ['a trailer that is none', `${chunked}0\r\nHTTP/1.1 200 OK\r\n\r\n`],
  ['endless trailers', `${chunked}0\r\n${'x: yyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(300)}`],
  ['another protocol than asked for', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'],
  ['an informational answer with a body', 'HTTP/1.1 100 Continue\r\ncontent-length: 3\r\n\r\nabc'],
  ['endless informational answers', 'HTTP/1.1 100 \r\n\r\n'.repeat(17_000)],
  ['an endless head', `${ok}${'x: yyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(600)}`],
  ['an endless line', `${ok}x: ${'y'.repeat(17_000)}`],
];

describe('what is no answer', () => {
  test.each(bad)('%s is refused wherever it is cut', (_, text) => {
    // A long one at a few places only.
    const cuts =
      text.length < 1000 ? everyCut(text) : [[bytes(text)], inPieces(text, 1000), inPieces(text, 1)];
    for (const pieces of cuts) expect(() => parse(pieces)).toThrow(MalformedResponse);
  });

  test('a line that ends in LF is seen at once and not waited for', () => {
    expect(() => parse([bytes('HTTP/1.1 200 OK\n')])).toThrow(MalformedResponse);
    expect(() => parse([bytes('G')])).toThrow(MalformedResponse);
  });
});

function inPieces(text: string, size: number): Buffer[] {
  const all = bytes(text);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.subarray(at * size, (at + 1) * size),
  );
}

test('any body in any chunks and any cuts comes through as it is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 30 }),
      (chunks, sizes) => {
        const framed = chunks.map((chunk) => [
          bytes(`${chunk.length.toString(16)}\r\n`),
          chunk,
          bytes('\r\n'),
        ]);
        const all = Buffer.concat([bytes(chunked), ...framed.flat(), bytes('0\r\n\r\n')]);
        const pieces: Buffer[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(all.subarray(at, at + size));
          at += size;
        }
        pieces.push(all.subarray(at));
        const parsed = parse(pieces.filter(({ length }) => length > 0));
        expect(parsed).toMatchObject({
          isWhole: true,
          keepsAlive: true,
          body: Buffer.concat(chunks).toString('latin1'),
        });
      },
    ),
    { numRuns: 500 },
  );
});

describe('the answers of one connection', () => {
  const second = (first: Buffer, pieces: readonly Buffer[]): Parsed => last([[first]], pieces);

  /** What an answer comes to behind whole ones on the same connection. */
  function last(before: readonly (readonly Buffer[])[], pieces: readonly Buffer[]): Parsed {
    let head: ResponseHead | undefined;
    let body = '';
    const parser = new ResponseParser({
      onHead: (found) => {
        head = found;
      },
      onBody: (read, from, to) => {
        body += read.toString('latin1', from, to);
      },
    });
    for (const one of before) {
      parser.begin();
      feed(parser, one);
      expect(parser.isWhole).toBe(true);
    }
    head = undefined;
    body = '';
    parser.begin();
    feed(parser, pieces);
    const { isWhole, keepsAlive, idleMs } = parser;
    return { head, body, isWhole, keepsAlive, idleMs };
  }

  const heads = [
    'Content-Length: 5\r\n',
    'Content-Length: 5\r\nConnection: close\r\n',
    'content-length: 5\r\nkeep-alive: timeout=7\r\nretry-after: 3\r\n',
    'Transfer-Encoding: chunked\r\nContent-Type: application/x-ndjson\r\n',
    'Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n',
    'Content-Length: 0\r\n',
  ].flatMap((fields) => [`${ok}${fields}\r\n`, `HTTP/1.1 503 Busy\r\n${fields}\r\n`]);
  const withBody = (head: string): string => {
    if (head.includes('chunked')) return `${head}5\r\nhello\r\n0\r\n\r\n`;
    return head.includes(': 0') ? head : `${head}hello`;
  };

  test('one that begins as the last did says the same again, and any other what it says itself, however it is cut', () => {
    for (const before of heads) {
      for (const after of heads) {
        for (const cut of everyCut(withBody(after)))
          expect(second(bytes(withBody(before)), cut), `${before}, then ${after}`).toEqual(parse(cut));
      }
    }
  });

  test('one that begins as the last but one did says the same again, if that between came in pieces', () => {
    for (const first of heads) {
      for (const between of heads) {
        const text = bytes(withBody(between));
        const cut = [text.subarray(0, 20), text.subarray(20)];
        const pieces = [bytes(withBody(first))];
        expect(last([pieces, cut], pieces), `${first}, then ${between}`).toEqual(parse(pieces));
      }
    }
  });

  test('the rest of a head that came in pieces is no head', () => {
    const text = bytes(withBody(heads[0] as string));
    const rest = text.subarray(ok.length);
    expect(() => last([[text.subarray(0, ok.length), rest]], [rest])).toThrow(MalformedResponse);
  });

  test('what the last began with is no head in the middle of one', () => {
    const first = bytes('HTTP/1.1 204 No Content\r\n\r\n');
    const pieces = [bytes(`${ok}content-length: 5\r\nretry-after: `), first, bytes('hello')];
    expect(second(first, pieces)).toEqual(parse(pieces));
    expect(second(first, pieces)).toMatchObject({ head: { status: 200 }, body: 'hello', isWhole: true });
  });

  test('one that is like the last but for one byte is judged as if it were the first', () => {
    const text = withBody(heads[0] as string);
    for (let at = 0; at < text.length; at++) {
      for (const wrong of ['\n', '\r', ' ', '6', 'x', '\0']) {
        const changed = bytes(text.slice(0, at) + wrong + text.slice(at + 1));
        const outcome = (read: () => Parsed): unknown => {
          try {
            return read();
          } catch (thrown) {
            return (thrown as Error).message;
          }
        };
        expect(outcome(() => second(bytes(text), [changed]))).toEqual(outcome(() => parse([changed])));
      }
    }
  });
});
