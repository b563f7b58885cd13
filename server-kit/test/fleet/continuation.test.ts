import type { StreamEvent } from '@ziggie/llm-protocol';
import { describe, expect, test } from 'vitest';
import type { ServerKitOptions } from '../../src/index.ts';
import { type Bench, eventsIn, startBench } from '../harness.ts';
import { expectWellFormed } from '../stream-harness.ts';
import { closeLater, isWhole } from './fleet.ts';
import { Teller } from './teller.ts';

const endless = Number.POSITIVE_INFINITY;
const pieces = [
  'Once',
  ' upon',
  ' a',
  ' time',
  ',\n\n',
  '  there',
  ' was',
  ' a “fröhliche”',
  ' 🐢',
  ' .',
  ' ',
  'End',
];
const story = pieces.join('');
const hi = { model: 'raw', messages: [{ role: 'user', content: 'Tell' }] };

interface Pair extends Bench {
  first: Teller;
  second: Teller;
}

/** Two machines with one model; the first is asked first. */
async function startPair(options: Partial<ServerKitOptions> = {}, prompt?: string): Promise<Pair> {
  const first = closeLater(await new Teller(pieces, prompt).start());
  const second = closeLater(await new Teller(pieces, prompt).start());
  const bench = await startBench({
    upstreams: [
      { url: first.url, name: 'first', slots: 8, weight: 1000 },
      { url: second.url, name: 'second', slots: 8 },
    ],
    limits: { requestsPerMinute: endless, requestsPerMinutePerAddress: endless },
    continuation: { models: ['raw*'] },
    ...options,
  });
  await bench.answer('/models');
  return { ...bench, first, second };
}

const textIn = (events: readonly StreamEvent[]) =>
  events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : [])).join('');
const usageIn = (events: readonly StreamEvent[]) => events.find((event) => event.type === 'usage');
const lastChat = ({ logs }: Bench) =>
  logs
    .filter(({ message }) => message === 'llm request')
    .filter(({ fields }) => fields['model'])
    .at(-1)?.fields;

describe('a model server that dies in the middle of an answer', () => {
  const cuts = pieces.flatMap((_, at) => [0, 1, 40].map((within) => [at + 1, within] as const));
  test('behind every record, and within every one: another one goes on, and the text is the same to the byte', async () => {
    for (const [records, within] of cuts) {
      const pair = await startPair();
      pair.first.diesAfter = records;
      pair.first.diesWithin = within;
      const events = await eventsIn(await pair.chat(hi));
      const what = `after ${records} records and ${within} bytes`;
      expectWellFormed(events);
      expect(isWhole(events), what).toBe(true);
      expect(textIn(events), what).toBe(story);
      expect(usageIn(events), what).toMatchObject({ inputTokens: 10, outputTokens: pieces.length });
      expect([pair.first.asked.length, pair.second.asked.length], what).toEqual([1, 1]);
    }
  });

  test('nobody hears of it, the counts add up and the log tells the truth', async () => {
    const pair = await startPair();
    pair.first.diesAfter = 5;
    const events = await eventsIn(await pair.chat(hi));
    expectWellFormed(events);
    expect(textIn(events)).toBe(story);
    expect(usageIn(events)).toMatchObject({
      inputTokens: 10,
      outputTokens: pieces.length,
      source: 'estimated',
    });
    expect(pair.second.asked[0]?.messages).toEqual([
      ...hi.messages,
      { role: 'assistant', content: pieces.slice(0, 5).join('') },
    ]);
    expect(lastChat(pair)).toMatchObject({
      outcome: 'ok',
      attempts: 2,
      upstream: 'second',
      inputTokens: 10,
      outputTokens: pieces.length,
    });
  });

  test('what is left of the length is what the second one may write', async () => {
    const pair = await startPair();
    pair.first.diesAfter = 4;
    const events = await eventsIn(await pair.chat({ ...hi, max_tokens: 7 }));
    expect(pair.second.asked[0]?.options?.num_predict).toBe(3);
    expect(textIn(events)).toBe(pieces.slice(0, 7).join(''));
    expect(events.at(-1)).toMatchObject({ type: 'done', finishReason: 'length' });
  });

  test('an answer that its caller has begun, a raw prompt, a complete answer', async () => {
    const pair = await startPair();
    pair.first.diesAfter = 3;
    const begun = [...hi.messages, { role: 'assistant', content: 'Once upon' }];
    const events = await eventsIn(await pair.chat({ ...hi, messages: begun }));
    expect(textIn(events)).toBe(story.slice('Once upon'.length));
    expect(pair.second.asked[0]?.messages?.at(-1)).toEqual({
      role: 'assistant',
      content: pieces.slice(0, 5).join(''),
    });

    const whole = await pair.chat({ ...hi, stream: false });
    expect(await whole.json()).toMatchObject({ message: { content: story }, done: true });

    const raw = await startPair({}, '<s>Tell:');
    raw.first.diesAfter = 3;
    const response = await raw.answer('/generate', { body: { model: 'raw', prompt: '<s>Tell:', raw: true } });
    expect(textIn(await eventsIn(response))).toBe(story);
    expect(raw.second.asked[0]?.prompt).toBe(`<s>Tell:${pieces.slice(0, 3).join('')}`);
  });

  test.each(['/v1/chat/completions', '/api/chat'])('on %s as well', async (path) => {
    const pair = await startPair();
    pair.first.diesAfter = 6;
    const text = await (await pair.answer(path, { body: { ...hi, stream: true } })).text();
    const contents = [...text.matchAll(/"content":("(?:[^"\\]|\\.)*")/g)].map(([, json]) =>
      JSON.parse(json as string),
    );
    expect(contents.join('')).toBe(story);
    expect(text).toContain(path.startsWith('/v1') ? '[DONE]' : '"done":true');
  });

  test('what the operator does to answers goes on over the seam', async () => {
    const pair = await startPair({ content: { blockedPhrases: ['upon a time'] } });
    pair.first.diesAfter = 2;
    const events = await eventsIn(await pair.chat(hi));
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'content_blocked' });
    expect(textIn(events)).not.toContain('upon a time');
  });
});

describe('nobody goes on', () => {
  const ends = async (pair: Pair, body: object = {}, path = '/chat') => {
    pair.first.diesAfter ??= 4;
    const events = await eventsIn(await pair.answer(path, { body: { ...hi, ...body } }));
    expectWellFormed(events);
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'truncated', retryable: true });
    expect(textIn(events)).toBe(pieces.slice(0, pair.first.diesAfter - pair.first.thinking.length).join(''));
    expect(pair.second.asked).toEqual([]);
  };

  test('unless the operator has named the model', async () => {
    await ends(await startPair({ continuation: undefined }));
    await ends(await startPair({ continuation: { models: ['other', 'ra'] } }));
  });

  test('with tools, with a format', async () => {
    const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };
    await ends(await startPair(), { tools: [tool] });
    await ends(await startPair(), { format: 'json' });
  });

  test('with thinking, asked for, done, or by a model that thinks unasked', async () => {
    await ends(await startPair(), { think: true });
    const thought = await startPair();
    thought.first.thinking = ['Hm.'];
    await ends(thought);
    const thinker = await startPair();
    for (const one of [thinker.first, thinker.second]) one.capabilities = ['completion', 'thinking'];
    thinker.clock.advance(6000);
    await thinker.answer('/models');
    await ends(thinker);
  });

  test('where only another file of the model is, or nobody says which', async () => {
    for (const digest of ['b'.repeat(64), undefined]) {
      const pair = await startPair();
      pair.second.digest = digest;
      if (digest === undefined) pair.first.digest = undefined;
      pair.clock.advance(6000);
      await pair.answer('/models');
      await ends(pair);
    }
  });

  test('a prompt that the server wraps in a template', async () => {
    await ends(await startPair({}, '<s>Tell:'), { messages: undefined, prompt: '<s>Tell:' }, '/generate');
  });

  test('twice', async () => {
    const pair = await startPair();
    pair.first.diesAfter = 2;
    pair.second.diesAfter = 3;
    const events = await eventsIn(await pair.chat(hi));
    expectWellFormed(events);
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'truncated' });
    expect(textIn(events)).toBe(pieces.slice(0, 5).join(''));
    expect([pair.first.asked.length, pair.second.asked.length]).toEqual([1, 1]);
  });
});
