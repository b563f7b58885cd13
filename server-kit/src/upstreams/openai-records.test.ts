import { SseSplitter, type StreamEventBody } from '@ziggie/llm-protocol';
import { OpenAiDecoder } from '@ziggie/llm-protocol/openai';
import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { PhaseClock } from '../answer/phase-clock.ts';
import { UpstreamRecords } from '../answer/upstream-records.ts';
import { systemClock } from '../clock.ts';
import type { Lease } from '../lease.ts';
import { Stop } from '../stop.ts';
import type { Transport, UpstreamBody } from '../upstream/transport.ts';
import { OpenAiRecords } from './openai-records.ts';
import { endOfBody } from './record-decoder.ts';

const chunk = (delta: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_764_590_000,
  model: 'm',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
  ...more,
});
const event = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
const said = (content: string) => event(chunk({ content }));
const last = event({ ...chunk({}), choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const counts = event(chunk({}, { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } }));
const closing = `${last}${counts}data: [DONE]\n\n`;

/** What the whole body says when it is read as text. */
function byText(body: string): StreamEventBody[] {
  const events: StreamEventBody[] = [];
  const decoder = new OpenAiDecoder();
  const splitter = new SseSplitter();
  splitter.push(body, (data) => decoder.read(data, events));
  splitter.end((data) => decoder.read(data, events));
  decoder.end(events);
  return events;
}

interface Told {
  events: StreamEventBody[];
  /** Records of which no string was made. */
  byBytes: number;
}

/** The same, as it comes off a connection in these pieces, one by one or all at once, with other things around them. */
async function byPieces(pieces: readonly Buffer[], together = false): Promise<Told> {
  const decoder = new OpenAiRecords();
  const left = [...pieces];
  let isHere = false;
  const body = {
    waiter: undefined,
    take() {
      isHere = together || !isHere;
      if (!isHere) return undefined;
      const piece = left.shift();
      if (piece === undefined) return null;
      return {
        bytes: Buffer.concat([Buffer.from('\n'), piece, Buffer.from('\n')]),
        from: 1,
        to: 1 + piece.length,
      };
    },
    cancel() {},
  } as unknown as UpstreamBody;
  const answer = { status: 200, contentType: 'text/event-stream', retryAfter: undefined, body };
  const transport = { send: () => Promise.resolve(answer) } as unknown as Transport;
  const lease = { signal: new Stop(), setTimer: () => () => {} };
  const told: Told = { events: [], byBytes: 0 };
  let ready = () => {};
  const opened = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const records = new UpstreamRecords(
    { transport, dialect: 'openai' },
    { path: '/chat/completions', body: '{}' },
    decoder,
    lease,
    new PhaseClock(systemClock, lease as unknown as Lease),
    { onReady: () => ready() },
  );
  records.take();
  await opened;
  for (;;) {
    const arrivals = records.take() ?? [];
    for (const arrival of arrivals) {
      if (typeof arrival !== 'object') decoder.read(arrival, told.events);
      else {
        told.events.push(arrival);
        told.byBytes++;
      }
      if (arrival === endOfBody) return told;
    }
  }
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom(
    ' token',
    '"',
    '\\',
    '\n\n',
    'data: ',
    '","content":"x',
    '😀',
    '<think>',
    '</think>',
    '\ud800',
  ),
);
const record = fc.oneof(
  { weight: 4, arbitrary: text.map(said) },
  fc.constantFrom(
    ': a comment\n\n',
    `event: message\n${said('named')}`,
    `${said('two lines end in ').slice(0, -2)}\r\n\r\n`,
    'data: {"id":"chatcmpl-1","choices":[{"index":0,\ndata: "delta":{"content":"in two lines"}}]}\n\n',
    event(chunk({ reasoning_content: 'a thought' })),
    event(chunk({ content: 'other', refusal: 'content' })),
    event(chunk({ content: '' })),
    last,
  ),
);

test('an answer says the same however its bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 12 }),
      fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
      fc.boolean(),
      fc.boolean(),
      async (records, cuts, whole, together) => {
        const all = [...records, closing];
        const bytes = Buffer.from(all.join(''));
        const lengths = whole ? all.map((one) => Buffer.byteLength(one)) : cuts;
        const pieces: Buffer[] = [];
        let at = 0;
        for (const length of lengths) {
          if (length > 0 && at < bytes.length) pieces.push(bytes.subarray(at, at + length));
          at += length;
        }
        if (at < bytes.length) pieces.push(bytes.subarray(at));
        const { events } = await byPieces(pieces, together);
        expect(events).toEqual(byText(bytes.toString()));
      },
    ),
    { numRuns: 500 },
  );
});

const piecesOf = (...records: string[]) => [...records, closing].map((one) => Buffer.from(one));

it('makes no string of an event that repeats an earlier one but for its text', async () => {
  const answer = [said('a'), ...Array.from({ length: 50 }, (_, at) => said(` t${at} "ü"\n`))];
  const { events, byBytes } = await byPieces(
    piecesOf(event(chunk({ role: 'assistant', content: '' })), ...answer),
  );
  expect(events).toEqual(byText([...answer, closing].join('')));
  expect(byBytes).toBeGreaterThanOrEqual(49);
});

it('reads thinking and plain completions by their bytes, too', async () => {
  const thoughts = Array.from({ length: 10 }, (_, at) => event(chunk({ reasoning: `t${at}` })));
  expect((await byPieces(piecesOf(...thoughts))).byBytes).toBeGreaterThanOrEqual(8);
  const texts = Array.from({ length: 10 }, (_, at) =>
    event({ id: 'cmpl-1', model: 'm', choices: [{ index: 0, text: `t${at}`, finish_reason: null }] }),
  );
  const completion = await byPieces(piecesOf(...texts));
  expect(completion.byBytes).toBeGreaterThanOrEqual(8);
  expect(completion.events).toEqual(byText([...texts, closing].join('')));
});

it('stops to look for shapes where each event has a value of its own, and says the same', async () => {
  const answer = Array.from({ length: 100 }, (_, at) =>
    event(chunk({ content: 'a' }, { obfuscation: `x${at}` })),
  );
  const { events, byBytes } = await byPieces(piecesOf(...answer));
  expect(byBytes).toBe(0);
  expect(events).toEqual(byText([...answer, closing].join('')));
});

it('an event of another answer breaks it behind events that were read by their bytes', async () => {
  const other = event(chunk({ content: 'x' }, { id: 'chatcmpl-2', model: 'other' }));
  await expect(byPieces(piecesOf(said('a'), said('b'), said('c'), other))).rejects.toThrow(/another answer/);
});

it('takes a line behind another line of the same event for what it is, though it looks like one that is known', async () => {
  const twice = [Buffer.from(said('c').slice(0, -1)), Buffer.from(said('d'))];
  await expect(byPieces([...piecesOf(said('a'), said('b')).slice(0, 2), ...twice])).rejects.toThrow(
    /not a JSON/,
  );
});
