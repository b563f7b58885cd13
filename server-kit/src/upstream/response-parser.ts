import { MalformedResponse, malformed } from './malformed-response.ts';
import { fieldLine, type ParsedHead, parseHead, type ResponseHead } from './response-head.ts';

/** Longest head of an answer, and trailers behind a body, in bytes. */
const maxHeadBytes = 16 * 1024;
const maxTrailerBytes = 8 * 1024;
/** Longest extension of one chunk. Nobody uses them, but RFC 9112 §7.1.1 has them passed over. */
const maxExtensionBytes = 256;
/** A chunk has at most this many hex digits: 4 GiB. */
const maxSizeDigits = 8;
/** Informational answers before the real one. They cost nothing and hold nothing; without end they are no answer. */
const maxInformational = 16_384;

/** Longest head that is kept to be recognised, in bytes. */
const maxKnownBytes = 1024;

interface KnownHead {
  bytes: Buffer;
  head: ResponseHead;
  state: number;
  left: number;
  keepsAlive: boolean;
  idleMs: number | undefined;
}

/** Hears what a parser finds, in order. */
export interface ResponseSink {
  onHead(head: Readonly<ResponseHead>): void;
  /** Bytes of the body: those of what was read from `from` up to `to`, good until this returns. */
  onBody(read: Buffer, from: number, to: number): void;
}

const CR = 13;
const LF = 10;
const SEMICOLON = 59;

// Numbers, since they are compared for every read.
const awaitHead = 0;
const inLength = 1;
const untilClose = 2;
const chunkSize = 3;
const chunkExtension = 4;
const chunkSizeEnd = 5;
const inChunk = 6;
const chunkEnd = 7;
const chunkEndLf = 8;
const inTrailer = 9;
const whole = 10;

/**
 * Reads one answer after another off a connection (RFC 9112), for requests that are not HEAD or CONNECT.
 *
 * Strict, because what two readers could read in two ways is how answers get mixed up: no line that ends in a bare LF or
 * CR, no folded field, no space before a colon, one Content-Length of plain digits, no Transfer-Encoding but one `chunked`,
 * never both. Everything else ends the connection with {@link MalformedResponse}.
 */
export class ResponseParser {
  readonly #sink: ResponseSink;
  #state = awaitHead;
  /** A head or trailer whose end has not come, and one before that went on. */
  #text = '';
  #left = 0;
  #digits = 0;
  #informational = 0;
  #keepsAlive = false;
  #idleMs: number | undefined;
  #hasSurplus = false;
  /**
   * The last head and what it came to. Within a second most answers of a server begin with the same bytes, and to compare
   * them costs a tenth of reading them.
   */
  #known: KnownHead | undefined;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** A request goes out: its answer is read from here on. */
  begin(): void {
    this.#state = awaitHead;
    this.#informational = 0;
  }

  /** Whether the answer is here to its end. */
  get isWhole(): boolean {
    return this.#state === whole;
  }

  /** Whether another request may follow on the connection. */
  get keepsAlive(): boolean {
    return this.#state === whole && this.#keepsAlive && !this.#hasSurplus;
  }

  /** How long the other end keeps a silent connection, in ms, where it says so (`Keep-Alive: timeout=…`). */
  get idleMs(): number | undefined {
    return this.#idleMs;
  }

  /** Takes what was read: the first `length` bytes. @throws {MalformedResponse} */
  read(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length) {
      switch (this.#state) {
        case awaitHead:
          at = this.#readHead(bytes.subarray(0, length), at);
          break;
        case inLength:
        case inChunk: {
          const end = Math.min(length, at + this.#left);
          this.#left -= end - at;
          const from = at;
          at = end;
          if (this.#left === 0) this.#state = this.#state === inLength ? whole : chunkEnd;
          this.#sink.onBody(bytes, from, end);
          break;
        }
        case untilClose:
          this.#sink.onBody(bytes, at, length);
          return;
        case inTrailer:
          at = this.#readTrailer(bytes.subarray(0, length), at);
          break;
        case whole:
          // Nobody has asked for this.
          this.#hasSurplus = true;
          return;
        default:
          at = this.#readFraming(bytes, at, length);
      }
    }
  }

  /** The other end has closed. @throws {MalformedResponse} when the answer is not whole then. */
  end(): void {
    if (this.#state === untilClose) this.#state = whole;
    if (this.#state !== whole) throw new MalformedResponse('The connection ended before the answer did.');
    this.#hasSurplus = true;
  }

  #readHead(bytes: Buffer, from: number): number {
    const known = this.#known;
    if (known !== undefined && this.#text === '' && standsAt(bytes, from, known.bytes)) {
      this.#state = known.state;
      this.#left = known.left;
      this.#digits = 0;
      this.#keepsAlive = known.keepsAlive;
      this.#idleMs = known.idleMs;
      this.#sink.onHead(known.head);
      return from + known.bytes.length;
    }
    const isFromStart = this.#text === '';
    const { text, at } = this.#lines(bytes, from, '\r\n\r\n', maxHeadBytes);
    if (text === undefined) {
      if (!'HTTP/1.'.startsWith(this.#text.slice(0, 7)))
        malformed('The answer does not begin as HTTP/1.1 does.');
      return at;
    }
    const head = this.#note(parseHead(text));
    if (head === undefined) return at;
    if (isFromStart && at - from <= maxKnownBytes) {
      this.#known = {
        bytes: Buffer.from(bytes.subarray(from, at)),
        head,
        state: this.#state,
        left: this.#left,
        keepsAlive: this.#keepsAlive,
        idleMs: this.#idleMs,
      };
    }
    this.#sink.onHead(head);
    return at;
  }

  /**
   * Gathers text up to `end`, which is left out; `undefined` while it has not come. A line that ends otherwise is found as
   * soon as it is there, or a broken server would be waited for.
   */
  #lines(bytes: Buffer, from: number, end: string, most: number): { text: string | undefined; at: number } {
    const before = this.#text;
    const found = before === '' ? bytes.indexOf(end, from, 'latin1') : -1;
    if (found !== -1) {
      if (found - from > most) malformed('The head of the answer is too long.');
      return { text: bytes.toString('latin1', from, found), at: found + end.length };
    }
    const text = before + bytes.toString('latin1', from, Math.min(bytes.length, from + most + end.length));
    const seen = Math.max(0, before.length - end.length + 1);
    const at = text.indexOf(end, seen);
    if (at === -1 ? text.length > most : at > most) malformed('The head of the answer is too long.');
    if (at === -1) {
      for (let lf = text.indexOf('\n', before.length); lf !== -1; lf = text.indexOf('\n', lf + 1))
        if (text[lf - 1] !== '\r') malformed('A line does not end in CR LF.');
      this.#text = text;
      return { text: undefined, at: bytes.length };
    }
    this.#text = '';
    return { text: text.slice(0, at), at: from + (at + end.length - before.length) };
  }

  /** Takes note of what a head says; `undefined` for one that stands before the real one. */
  #note({ head, is11, closes, length, encoding, idleMs }: ParsedHead): ResponseHead | undefined {
    this.#idleMs = idleMs;
    if (head.status < 200) {
      this.#passOver(head.status, length ?? encoding);
      return undefined;
    }
    this.#keepsAlive = is11 && !closes;
    this.#frame(head.status, is11, length, encoding);
    return head;
  }

  /** Informational answers (100, 103) stand before the real one and have no body. We never asked for another protocol (101). */
  #passOver(status: number, framing: string | undefined): void {
    if (status === 101 || framing !== undefined || ++this.#informational > maxInformational)
      malformed('An informational answer is not one.');
  }

  /** How the body is told from what follows it (RFC 9112 §6.3). */
  #frame(status: number, is11: boolean, length: string | undefined, encoding: string | undefined): void {
    if (encoding !== undefined) {
      if (!is11 || length !== undefined || encoding.toLowerCase() !== 'chunked')
        malformed('The answer is framed in a way that is not clear.');
    }
    // 15 digits are still exact.
    if (length !== undefined && !/^[0-9]{1,15}$/.test(length))
      malformed('The length of the answer is not a number.');
    if (status === 204 || status === 304) this.#state = whole;
    else if (encoding !== undefined) this.#beginChunk();
    else if (length === undefined) {
      this.#state = untilClose;
      this.#keepsAlive = false;
    } else {
      this.#left = Number(length);
      this.#state = this.#left === 0 ? whole : inLength;
    }
  }

  #beginChunk(): void {
    this.#state = chunkSize;
    this.#left = 0;
    this.#digits = 0;
  }

  /** What stands around chunks, up to the next bytes of a body. */
  #readFraming(bytes: Buffer, from: number, length: number): number {
    let state = this.#state;
    let at = from;
    while (at < length && state !== inChunk && state !== inTrailer) {
      const byte = bytes[at++] as number;
      switch (state) {
        case chunkSize: {
          const digit = hexOf(byte);
          if (digit !== -1) {
            if (++this.#digits > maxSizeDigits) malformed('A chunk is too large.');
            this.#left = this.#left * 16 + digit;
          } else if (this.#digits === 0) malformed('A chunk has no size.');
          else if (byte === CR) state = chunkSizeEnd;
          else if (byte === SEMICOLON) {
            state = chunkExtension;
            this.#digits = 0;
          } else malformed('The size of a chunk is not a number.');
          break;
        }
        case chunkExtension:
          if (byte === CR) state = chunkSizeEnd;
          else if ((byte < 0x20 && byte !== 9) || byte === 0x7f || ++this.#digits > maxExtensionBytes)
            malformed('The extension of a chunk is not one.');
          break;
        case chunkSizeEnd:
          if (byte !== LF) malformed('A line does not end in CR LF.');
          state = this.#left === 0 ? inTrailer : inChunk;
          break;
        case chunkEnd:
          if (byte !== CR) malformed('A chunk is longer than it says.');
          state = chunkEndLf;
          break;
        default:
          if (byte !== LF) malformed('A chunk is longer than it says.');
          this.#beginChunk();
          state = chunkSize;
      }
    }
    this.#state = state;
    return at;
  }

  /** What stands behind the last chunk: fields that nobody wants, and an empty line. */
  #readTrailer(bytes: Buffer, from: number): number {
    // The usual: nothing.
    if (this.#text === '' && bytes[from] === CR && bytes[from + 1] === LF) {
      this.#state = whole;
      return from + 2;
    }
    const { text, at } = this.#lines(bytes, from, '\r\n', maxTrailerBytes - this.#digits);
    if (text === '') this.#state = whole;
    else if (text !== undefined) {
      if (!fieldLine.test(text)) malformed('A trailer line is not one.');
      this.#digits += text.length + 2;
      if (this.#digits > maxTrailerBytes) malformed('The trailers are too long.');
    }
    return at;
  }
}

function standsAt(bytes: Buffer, from: number, wanted: Buffer): boolean {
  const end = from + wanted.length;
  return end <= bytes.length && bytes.compare(wanted, 0, wanted.length, from, end) === 0;
}

function hexOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
