import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantClock, noTimeouts } from '../../test/clock.ts';
import { failureOf, last, piece, question } from '../../test/samples.ts';
import { type Answer, lines, linesThenHangUp, reply, serve, toLines } from '../../test/scripted-server.ts';
import {
  type ChatEvent,
  type ChatStream,
  type ClientOptions,
  createClient,
  type Recovery,
} from '../index.ts';

function asker(url: string, recovery: Recovery, more: Partial<ClientOptions> = {}) {
  return createClient({
    baseUrl: url,
    target: 'ollama',
    clock: instantClock(),
    random: () => 0.5,
    timeouts: noTimeouts,
    recovery,
    ...more,
  });
}

async function collect(stream: ChatStream): Promise<ChatEvent[]> {
  const seen: ChatEvent[] = [];
  for await (const event of stream) seen.push(event);
  return seen;
}

/** What a screen shows that obeys `restart`. */
function shown(events: readonly ChatEvent[]): string {
  let text = '';
  for (const event of events) {
    if (event.type === 'restart') text = '';
    if (event.type === 'text-delta') text += event.text;
  }
  return text;
}

describe("recovery: 'restart'", () => {
  test('says that the text so far is void, and gives the whole answer of the next attempt', async () => {
    const server = await serve(lines(piece('Hello wor')), lines(piece('Good '), piece('day'), last));
    const stream = asker(server.url, 'restart').chat(question);
    const seen = await collect(stream);
    expect(seen.map(({ type }) => type)).toEqual([
      'start',
      'text-delta',
      'restart',
      'start',
      'text-delta',
      'text-delta',
      'usage',
      'done',
    ]);
    expect(seen[2]).toEqual({ type: 'restart', attempt: 2 });
    expect(shown(seen)).toBe('Good day');
    expect(await stream.final()).toMatchObject({ text: 'Good day', attempts: [{ code: 'truncated' }, {}] });
  });

  test('tool calls and thinking of the broken attempt are void too', async () => {
    const broken = piece('', {
      message: {
        content: '',
        thinking: 'Hm.',
        tool_calls: [{ id: 'a', function: { name: 'f', arguments: {} } }],
      },
    });
    const server = await serve(lines(broken), lines(piece('Hi'), last));
    const result = await asker(server.url, 'restart').chat(question).final();
    expect(result).toMatchObject({ text: 'Hi', thinking: '', toolCalls: [] });
  });

  test('a failure that will be the same next time is thrown', async () => {
    const server = await serve(
      lines(piece('Hel'), { error: 'the input length exceeds the context length' }),
      lines(piece('Hi'), last),
    );
    expect(await failureOf(asker(server.url, 'restart').chat(question).text())).toMatchObject({
      code: 'context_overflow',
      partial: { text: 'Hel' },
    });
    expect(server.exchanges).toHaveLength(1);
  });

  test('is over after maxAttempts, with the partial of the last one', async () => {
    const server = await serve(lines(piece('one')), lines(piece('two')), lines(piece('three')));
    expect(await failureOf(asker(server.url, 'restart').chat(question).text())).toMatchObject({
      code: 'truncated',
      partial: { text: 'three' },
      attempts: [{}, {}, {}],
    });
  });

  test('of a call wins over that of the client', async () => {
    const server = await serve(lines(piece('one')), lines(piece('two'), last));
    const error = await failureOf(asker(server.url, 'restart').chat(question, { recovery: 'throw' }).text());
    expect(error).toMatchObject({ code: 'truncated', partial: { text: 'one' } });
  });
});

/** Answers the rest of `whole` after what the model is said to have written, as Ollama does. */
function goesOn(whole: string): Answer {
  return (exchange) => {
    const { messages } = JSON.parse(exchange.body) as { messages: { role: string; content: string }[] };
    const begun = messages.at(-1)?.role === 'assistant' ? (messages.at(-1)?.content ?? '') : '';
    expect(whole.startsWith(begun)).toBe(true);
    lines(piece(whole.slice(begun.length)), last)(exchange);
  };
}

describe("recovery: 'continue'", () => {
  test('asks the model to go on after its own words, and joins the two', async () => {
    const server = await serve(lines(piece('Hel'), piece('lo wor')), goesOn('Hello world'));
    const stream = asker(server.url, 'continue').chat(question);
    const seen = await collect(stream);
    expect(seen.map(({ type }) => type)).toEqual([
      'start',
      'text-delta',
      'text-delta',
      'text-delta',
      'usage',
      'done',
    ]);
    // Two pieces before, two tokens after: no server counted the whole.
    expect(seen[4]).toEqual({ type: 'usage', inputTokens: 3, outputTokens: 4, source: 'estimated' });
    expect(await stream.text()).toBe('Hello world');
    expect(JSON.parse(server.exchanges[1]?.body ?? '')).toMatchObject({
      messages: [
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Hello wor' },
      ],
    });
  });

  test.each([
    ['thinking', piece('a', { message: { content: 'a', thinking: 'Hm.' } }), {}],
    [
      'a tool call',
      piece('', { message: { content: '', tool_calls: [{ function: { name: 'f', arguments: {} } }] } }),
      {},
    ],
    ['tools', piece('a'), { tools: [{ name: 'f', parameters: {} }] }],
    ['a format', piece('a'), { format: 'json' }],
    ['think', piece('a'), { think: true }],
    ['an answer that the caller began', piece('a'), { messages: [{ role: 'assistant', content: 'So' }] }],
  ])('with %s it throws: going on would not be exact', async (_, first, more) => {
    const server = await serve(lines(first), lines(piece('Hi'), last));
    const error = await failureOf(
      asker(server.url, 'continue')
        .chat({ ...question, ...more } as typeof question)
        .text(),
    );
    expect(error).toMatchObject({ code: 'truncated' });
    expect(server.exchanges).toHaveLength(1);
  });

  test('a model that begins to think instead of going on is not believed', async () => {
    const server = await serve(
      lines(piece('Hel')),
      lines(piece('', { message: { content: '', thinking: 'The user…' } }), piece('Hello'), last),
    );
    expect(await failureOf(asker(server.url, 'continue').chat(question).text())).toMatchObject({
      code: 'truncated',
      partial: { text: 'Hel', thinking: '' },
    });
  });

  test('against the kit it throws: what stands behind is not known', async () => {
    const events = [
      { type: 'start', id: 'r', model: 'm', upstreamModel: 'm', resumable: false, seq: 0 },
      { type: 'text-delta', text: 'Hel', seq: 1 },
    ];
    const server = await serve(reply(200, toLines(...events)));
    const client = asker(server.url, 'continue', { target: 'kit' });
    expect(await failureOf(client.chat(question).text())).toMatchObject({ code: 'truncated' });
    expect(server.exchanges).toHaveLength(1);
  });
});

const words = fc.array(fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }), {
  minLength: 1,
  maxLength: 12,
});

test('wherever answers break, the text is never doubled and never short', { timeout: 60_000 }, async () => {
  const answers: Answer[] = [];
  const server = await serve((exchange) => answers.shift()?.(exchange));
  await fc.assert(
    fc.asyncProperty(
      words,
      fc.array(fc.record({ at: fc.nat(12), hard: fc.boolean() }), { maxLength: 2 }),
      fc.constantFrom<Recovery>('restart', 'continue'),
      async (pieces, breaks, recovery) => {
        const whole = pieces.join('');
        const begunBy = (body: string): string => {
          const message = (JSON.parse(body) as { messages: { role: string; content: string }[] }).messages.at(
            -1,
          );
          return message?.role === 'assistant' ? message.content : '';
        };
        const attempt =
          (end: 'whole' | { at: number; hard: boolean }): Answer =>
          (exchange) => {
            const rest = [...whole.slice(begunBy(exchange.body).length)];
            if (end === 'whole') lines(...rest.map((text) => piece(text)), last)(exchange);
            else {
              const sent = rest.slice(0, end.at).map((text) => piece(text));
              (end.hard ? linesThenHangUp : lines)(...sent)(exchange);
            }
          };
        answers.splice(0, Infinity, ...breaks.map(attempt), attempt('whole'));
        const stream = asker(server.url, recovery).chat(question);
        const seen = await collect(stream);
        expect(shown(seen)).toBe(whole);
        expect(await stream.text()).toBe(whole);
        if (recovery === 'continue') expect(seen.some(({ type }) => type === 'restart')).toBe(false);
      },
    ),
    { numRuns: 60 },
  );
});
