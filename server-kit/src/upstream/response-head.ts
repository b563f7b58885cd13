import { malformed } from './malformed-response.ts';

const statusLine = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** RFC 9110 §5.1, §5.5: a token, no space before the colon, no control character in the value. A folded line is no field. */
export const fieldLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;

/** What stands before the body, as far as the kit reads it. */
export interface ResponseHead {
  status: number;
  contentType: string;
  retryAfter: string | undefined;
  date: string | undefined;
}

/** The same, and what it says of its body and its connection. */
export interface ParsedHead {
  head: ResponseHead;
  is11: boolean;
  /** Whether it says that nothing follows on the connection. */
  closes: boolean;
  /** Fields that frame the body, as they stand there. */
  length: string | undefined;
  encoding: string | undefined;
  /** How long the other end keeps a silent connection, in ms. */
  idleMs: number | undefined;
}

/** Reads a head without its empty line. @throws {MalformedResponse} */
export function parseHead(text: string): ParsedHead {
  const lines = text.split('\r\n');
  const [, minor, code] = statusLine.exec(lines[0] as string) ?? malformed('The status line is not one.');
  const head: ResponseHead = {
    status: Number(code),
    contentType: '',
    retryAfter: undefined,
    date: undefined,
  };
  let length: string | undefined;
  let encoding: string | undefined;
  let idleMs: number | undefined;
  let connection = '';
  for (let at = 1; at < lines.length; at++) {
    const [, name = '', raw = ''] =
      fieldLine.exec(lines[at] as string) ?? malformed('A header line is not one.');
    const value = raw.trimEnd();
    switch (name.toLowerCase()) {
      case 'content-length':
        if (length !== undefined) malformed('The answer has two lengths.');
        length = value;
        break;
      case 'transfer-encoding':
        if (encoding !== undefined) malformed('The answer has two encodings.');
        encoding = value;
        break;
      case 'connection':
        connection += `,${value.toLowerCase()}`;
        break;
      case 'keep-alive':
        idleMs = keepAliveMs(value);
        break;
      case 'content-type':
        head.contentType ||= value;
        break;
      case 'retry-after':
        head.retryAfter ??= value;
        break;
      case 'date':
        head.date ??= value;
    }
  }
  const closes = connection.split(',').some((option) => option.trim() === 'close');
  return { head, is11: minor === '1', closes, length, encoding, idleMs };
}

function keepAliveMs(value: string): number | undefined {
  const seconds = /(?:^|[,;\s])timeout=([0-9]{1,6})(?:$|[,;\s])/i.exec(value)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
