import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseJson, type StreamEventBody } from '@ziggie/llm-protocol';
import { OllamaDecoder } from '@ziggie/llm-protocol/ollama';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { ByteShape } from './byte-shape.ts';
import { OllamaRecords } from './ollama-records.ts';

const folder = new URL('../../../../shared/fixtures/ollama/', import.meta.url);
const transcripts = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => /^(?:chat|generate)-.*\.ndjson$/.test(name))
      .map((name) => linesOf(readFileSync(new URL(name, folder))))
  : [];

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    lines.push(bytes.subarray(from, end === -1 ? bytes.length : end));
    from = end === -1 ? bytes.length : end + 1;
  }
  return lines;
}

interface Told {
  events: StreamEventBody[];
  end: unknown;
  /** Records of which no string was made. */
  byBytes: number;
}

function told(lines: readonly Buffer[], read: (line: Buffer, events: StreamEventBody[]) => void): Told {
  const events: StreamEventBody[] = [];
  try {
    for (const line of lines) read(line, events);
  } catch (thrown) {
    return { events, end: String(thrown), byBytes: 0 };
  }
  return { events, end: 'whole', byBytes: 0 };
}

const textOf = (line: Buffer) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);

function byParsing(lines: readonly Buffer[]): Told {
  const decoder = new OllamaDecoder();
  return told(lines, (line, events) => events.push(...decoder.decode(parseJson(textOf(line)))));
}

/** Each line in a buffer that holds other things before and behind it, as on a connection. */
function byRecords(lines: readonly Buffer[]): Told {
  const records = new OllamaRecords();
  let byBytes = 0;
  const found = told(lines, (line, events) => {
    const buffer = Buffer.concat([Buffer.from('{"'), line, Buffer.from('"}\n')]);
    const known = records.readBytes(buffer, 2, 2 + line.length);
    if (known === undefined) records.read(textOf(line), events);
    else {
      byBytes++;
      events.push(...known);
    }
  });
  return { ...found, byBytes };
}

function expectSame(lines: readonly Buffer[]): void {
  const { byBytes: _, ...found } = byRecords(lines);
  const { byBytes: __, ...expected } = byParsing(lines);
  expect(found).toEqual(expected);
}

const record = (content: string, more: Record<string, unknown> = {}) =>
  Buffer.from(
    JSON.stringify({
      model: 'm',
      created_at: '2026-01-01T00:00:00.123456Z',
      message: { role: 'assistant', content },
      done: false,
      ...more,
    }),
  );

describe('OllamaRecords', () => {
  it('reads records that repeat but for their text and time from their bytes', () => {
    const texts = [
      ' one',
      ' zwölf',
      ' 😀',
      '\n',
      ' "quoted" \\ back',
      'a longer piece of text than most',
      '',
      'x',
    ];
    const lines = texts.map((text, at) => record(text, { created_at: `2026-01-01T00:00:0${at}Z` }));
    const { events, byBytes } = byRecords(lines);
    expect(events).toEqual(texts.filter((text) => text !== '').map((text) => ({ type: 'text-delta', text })));
    expect(byBytes).toBe(texts.length - 1);
  });

  it('counts what it read from bytes when the server does not', () => {
    const { events } = byRecords([record('a'), record('b'), record('c'), record('', { done: true })]);
    expect(events.at(-2)).toMatchObject({ type: 'usage', outputTokens: 3, source: 'estimated' });
  });

  it('goes on from bytes when thinking ends and the answer begins', () => {
    const thinking = (text: string) =>
      record('', { message: { role: 'assistant', content: '', thinking: text } });
    const { byBytes } = byRecords([...'abc'].map(thinking).concat([...'abc'].map((text) => record(text))));
    expect(byBytes).toBe(4);
  });

  it('looks for no shape any more where each record differs', () => {
    const lines = Array.from({ length: 40 }, (_, at) => record(' text', { extra: at }));
    lines.push(record(' a'), record(' b'), record(' c'));
    expect(byRecords(lines).byBytes).toBe(0);
    expectSame(lines);
  });

  it.each([
    ['bytes that are not UTF-8 in the text', Buffer.from('" \xff"', 'latin1')],
    ['half a character', Buffer.from('" \xc3"', 'latin1')],
    ['a control character', Buffer.from('" \n"')],
    ['a quote that ends the text', Buffer.from('"a","content":"b"')],
    ['an escape that is none', Buffer.from('"\\q"')],
    ['an escape without its end', Buffer.from('"\\"')],
  ])('leaves %s to the parser', (_, content) => {
    const whole = record('TEXT').toString('latin1');
    const line = Buffer.from(whole.replace('"TEXT"', content.toString('latin1')), 'latin1');
    expect(byRecords([record('a'), record('b'), record('c')]).byBytes).toBe(2);
    const records = new OllamaRecords();
    records.read(record('a').toString(), []);
    expect(records.readBytes(line, 0, line.length)).toBeUndefined();
    expectSame([record('a'), record('b'), line]);
  });

  it.each([
    ['a space before its colon', '"content" :'],
    ['a space behind its colon', '"content": '],
    ['an escape in its name', '"cont\\u0065nt":'],
  ])('is not misled by another member that has the text, where the true one has %s', (_, key) => {
    const line = (shown: string, said: string) =>
      Buffer.from(`{"x":{"content":"${shown}"},"message":{${key}"${said}"},"done":false}`);
    // Any text may be the one that stands in both.
    for (const text of ['a', 'probe', 'probea', '?']) {
      expect(ByteShape.of(line(text, text).toString(), text, 'content', 'created_at')).toBeUndefined();
      expectSame([line(text, text), line('shown', text), line(text, 'said')]);
    }
  });

  it.each([
    ['an escape', 'a\n"b\\'],
    ['nothing', ''],
  ])('a record whose text is %s has the shape of the others', (_, text) => {
    const shape = ByteShape.of(record(text).toString(), text, 'content', 'created_at');
    const other = record('other');
    expect(shape?.textOf(other, 0, other.length)).toBe('other');
  });

  it('has no shape where its time has an escape', () => {
    const line = record('a', { created_at: '"' }).toString();
    expect(ByteShape.of(line, 'a', 'content', 'created_at')).toBeUndefined();
  });

  it('shapes of one model are one, of two models two', () => {
    const shapeOf = (line: Buffer) => ByteShape.of(line.toString(), 'a', 'content', 'created_at')?.shared;
    expect(shapeOf(record('a'))).toBeDefined();
    expect(shapeOf(record('a', { created_at: 'later' }))).toBe(shapeOf(record('a')));
    expect(shapeOf(record('a', { model: 'n' }))).not.toBe(shapeOf(record('a')));
  });

  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      'a',
      ' the',
      '',
      '"',
      '\\',
      '</b>',
      '"},"done":true}',
      'ünï',
      '\u2028',
      '\ufffd',
      '<think>',
      '</think>',
    ),
  );
  const written = fc.oneof(
    { weight: 4, arbitrary: texts.map((text) => record(text)) },
    fc.tuple(texts, fc.string()).map(([text, created_at]) => record(text, { created_at })),
    texts.map((response) =>
      Buffer.from(JSON.stringify({ model: 'm', created_at: 't', response, done: false })),
    ),
    texts.map((thinking) => record('', { message: { content: '', thinking } })),
    texts.map((model) => record('x', { model })),
    texts.map((error) => Buffer.from(JSON.stringify({ error }))),
    texts.map((text) => record(text, { done: true, eval_count: 3 })),
    texts.map((text) => Buffer.from(`{"message": { "content":"${text}" } }`)),
  );
  const mutation = fc.record({
    line: fc.nat(),
    at: fc.nat(),
    byte: fc.integer({ min: 0, max: 255 }),
    kind: fc.nat(2),
  });

  function mutated(
    lines: readonly Buffer[],
    { line, at, byte, kind }: { line: number; at: number; byte: number; kind: number },
  ): Buffer[] {
    const changed = [...lines];
    const which = line % Math.max(1, lines.length);
    const before = lines[which];
    if (before === undefined || before.length === 0) return changed;
    const from = at % before.length;
    const put = kind === 0 ? [] : [byte];
    changed[which] = Buffer.concat([
      before.subarray(0, from),
      Buffer.from(put),
      before.subarray(kind === 2 ? from : from + 1),
    ]);
    return changed;
  }

  it('gives what parsing every record gives, whatever the records are and wherever a byte is changed', () => {
    fc.assert(
      fc.property(
        fc.array(written, { maxLength: 12 }),
        fc.array(mutation, { maxLength: 2 }),
        (lines, mutations) => {
          expectSame(mutations.reduce(mutated, lines));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test.skipIf(transcripts.length === 0)(
    'gives the same for every transcript, and for each with a byte changed',
    () => {
      expect(transcripts.length).toBeGreaterThanOrEqual(20);
      for (const lines of transcripts) expectSame(lines);
      expect(transcripts.some((lines) => byRecords(lines).byBytes > 1)).toBe(true);
      fc.assert(
        fc.property(fc.constantFrom(...transcripts), mutation, (lines, one) =>
          expectSame(mutated(lines, one)),
        ),
        { numRuns: 3_000 },
      );
    },
  );
});
