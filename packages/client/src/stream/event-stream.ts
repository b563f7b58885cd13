import type { Framing } from './answer-reader.ts';

/**
 * Reads an event stream, of which only the `data` means anything to us: line by line, as the other framing is read
 * (WHATWG HTML, "Interpreting an event stream").
 *
 * Whether it is one, the content type says; where it says nothing (proxies forget it), the first characters do.
 */
export function eventStream(contentType: string): Framing {
  const saysSse = /^\s*text\/event-stream/i.test(contentType);
  /** Known with the first characters. */
  let isSse: boolean | undefined;
  let start = '';
  /** What the `data` lines of an event say so far. */
  let data: string | undefined;
  /** The last text ended with a CR: an LF at the start of the next one belongs to it. */
  let endedWithCr = false;

  return {
    lines(given) {
      let text = given;
      if (isSse === undefined) {
        text = start + text;
        const seen = text.trimStart();
        if (seen === '' || (!saysSse && seen.length < 7 && !/^\{|[:\n]/.test(seen))) {
          // Blank lines keep a connection open; they tell nothing yet, however many there are.
          start = text.slice(-99);
          return '';
        }
        // A JSON body under the name of an event stream is what some servers answer when they fail.
        isSse = !seen.startsWith('{') && (saysSse || /^(?:data|event|id|retry)?:/.test(seen));
        // A byte order mark, and blank lines.
        text = isSse ? text.replace(/^\ufeff/, '') : seen;
      }
      if (isSse && (endedWithCr || text.includes('\r'))) {
        if (endedWithCr && text.startsWith('\n')) text = text.slice(1);
        endedWithCr = text.endsWith('\r');
        text = text.replace(/\r\n?/g, '\n');
      }
      return text;
    },
    record(line, check) {
      if (!isSse) return line;
      if (line === '') {
        const whole = data;
        data = undefined;
        return whole;
      }
      if (line.slice(0, 5) === 'data:' || line === 'data') {
        const more = line.slice(line.charCodeAt(5) === 0x20 ? 6 : 5);
        data = data === undefined ? more : `${data}\n${more}`;
        check(data);
      }
      return undefined;
    },
  };
}
