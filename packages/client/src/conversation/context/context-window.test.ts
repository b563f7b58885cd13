import { createFakeOllama, say } from '@ziggie/llm-testing';
import { describe, expect, it } from 'vitest';
import { openConversation, settle } from '../../../test/conversation/open-conversation.ts';
import { createClient } from '../../create-client.ts';
import type { ChatEvent } from '../../types.ts';
import { createConversation } from '../create-conversation.ts';
import type { ConversationOptions } from '../types.ts';
import { createContextWindow, estimateTokens } from './context-window.ts';
import { Calibration } from './estimate.ts';
import { summarizeWith } from './summarize-with.ts';

const text = (words: string): ChatEvent => ({ type: 'text-delta', text: words });
const done: ChatEvent = { type: 'done', finishReason: 'stop', timings: {} };
const counted = (inputTokens: number, outputTokens = 1): ChatEvent => ({
  type: 'usage',
  inputTokens,
  outputTokens,
  source: 'upstream',
});
/** 400 characters: 100 tokens and 4 for the template. */
const long = (name: string) => name.padEnd(400, '.');

async function chat(options: Partial<ConversationOptions>, turns: number, ...usage: ChatEvent[]) {
  const open = openConversation({ system: 'Be kind.', ...options });
  await settle();
  for (let turn = 1; turn <= turns; turn++) {
    const sent = open.conversation.send(long(`q${turn}`));
    await settle();
    open.client.last().emit(text(long(`a${turn}`)), ...usage, done);
    await sent;
  }
  return open;
}

const contents = ({ client }: Awaited<ReturnType<typeof chat>>) =>
  client.last().request.messages.map(({ content }) => content.split('.')[0]);

describe('createContextWindow()', () => {
  it('sends everything that fits, then cuts much at once, keeps the system prompt and the cut', async () => {
    const context = createContextWindow({ windowTokens: 1000, reserveTokens: 100 });
    const open = openConversation({ system: 'Be kind.', context });
    await settle();
    const begins: (string | undefined)[] = [];
    for (let turn = 1; turn <= 9; turn++) {
      const sent = open.conversation.send(long(`q${turn}`));
      await settle();
      expect(open.client.last().request.messages[0]).toEqual({ role: 'system', content: 'Be kind.' });
      begins.push(open.client.last().request.messages[1]?.content.slice(0, 2));
      open.client.last().emit(text(long(`a${turn}`)), done);
      await sent;
    }
    expect(begins).toEqual(['q1', 'q1', 'q1', 'q1', 'q4', 'q4', 'q4', 'q7', 'q7']);
    expect(open.conversation.contextReport.get()).toMatchObject({
      windowTokens: 1000,
      droppedMessages: 12,
      trimmed: false,
      summarized: false,
      contextFull: false,
    });
    expect(open.conversation.getState().cut).toEqual({ firstId: 'm13' });
  });

  it('learns from what the server counts, per model: twice the tokens, half the messages', async () => {
    const context = createContextWindow({ windowTokens: 1000, reserveTokens: 100 });
    const open = await chat({ context }, 3);
    expect(open.conversation.contextReport.get()?.droppedMessages).toBe(0);
    open.conversation.dispose();
    const learning = createContextWindow({ windowTokens: 1000, reserveTokens: 100 });
    // The second request is 320 tokens by the estimate, and 640 by the server.
    const taught = openConversation({ context: learning });
    await settle();
    const usage = [counted(200), counted(640)];
    for (let turn = 1; turn <= 3; turn++) {
      const sent = taught.conversation.send(long(`q${turn}`));
      await settle();
      taught.client.last().emit(text(long(`a${turn}`)), ...usage.splice(0, 1), done);
      await sent;
    }
    expect(taught.conversation.contextReport.get()?.droppedMessages).toBe(4);
    const other = taught.conversation.regenerate(undefined, { model: 'other' });
    await settle();
    expect(taught.conversation.contextReport.get()?.droppedMessages).toBe(4);
    taught.client.last().emit(done);
    await other;
  });

  it('says when the window is full: a message alone too large, an answer at the end, a server that cut in silence', async () => {
    const context = createContextWindow({ windowTokens: 100, reserveTokens: 20 });
    const { conversation } = await chat({ context }, 2);
    expect(conversation.contextReport.get()).toMatchObject({ contextFull: true, droppedMessages: 2 });
    const roomy = () => createContextWindow({ windowTokens: 400, reserveTokens: 20 });
    const ended = await chat({ context: roomy() }, 1, counted(110, 290));
    expect(ended.conversation.contextReport.get()).toMatchObject({ contextFull: true, countedTokens: 110 });
    const silent = await chat({ context: roomy() }, 2, counted(100, 1));
    expect(silent.conversation.contextReport.get()).toMatchObject({ contextFull: true });
    const fine = await chat({ context: roomy() }, 1, counted(110, 10));
    expect(fine.conversation.contextReport.get()).toMatchObject({ contextFull: false });
  });

  it('puts a summary of what was cut into the system prompt, once, and carries it on; a failing one costs nothing else', async () => {
    const asked: { first: string | undefined; summary: string | undefined }[] = [];
    const summarize = async ({
      messages,
      summary,
    }: {
      messages: readonly { content: string }[];
      summary?: string | undefined;
    }) => {
      asked.push({ first: messages[0]?.content.slice(0, 2), summary });
      if (asked.length === 3) throw new Error('busy');
      return `summary ${asked.length}`;
    };
    const context = createContextWindow({ windowTokens: 1000, reserveTokens: 100, summarize });
    const open = await chat({ context }, 11);
    expect(asked).toEqual([
      { first: 'q1', summary: undefined },
      { first: 'q4', summary: 'summary 1' },
      { first: 'q7', summary: 'summary 2' },
    ]);
    expect(open.client.last().request.messages[0]?.content).toBe(
      'Be kind.\n\nThe conversation before, in short:\nsummary 2',
    );
    expect(open.conversation.contextReport.get()).toMatchObject({ summarized: true });
  });

  it('a branch that does not hold the cut is sent from its beginning', async () => {
    const context = createContextWindow({ windowTokens: 1000, reserveTokens: 100 });
    const open = await chat({ context }, 6);
    void open.conversation.edit('m1', 'Anew');
    expect(contents(open)).toEqual(['Be kind', 'Anew']);
    open.frame();
    expect(open.conversation.getState().cut).toBeNull();
    open.conversation.dispose();
  });

  it('sends everything where the window is not known, and refuses one that is none', async () => {
    const open = await chat({ context: createContextWindow({ windowTokens: () => undefined }) }, 12);
    expect(contents(open)).toHaveLength(24);
    expect(open.conversation.contextReport.get()).toMatchObject({ contextFull: false, droppedMessages: 0 });
    for (const windowTokens of [0, -1, Number.NaN]) {
      expect(() => createContextWindow({ windowTokens })).toThrow(TypeError);
    }
  });
});

it('summarizeWith() asks a model, through a real client', async () => {
  const fake = createFakeOllama();
  const client = createClient({ baseUrl: 'http://fake', target: 'ollama', fetch: fake.fetch });
  fake.script([say('They spoke of the sky.')]);
  const summarize = summarizeWith(client, { model: 'stand-in' });
  const words = await summarize({
    messages: [{ role: 'user', content: 'x'.repeat(10_000) }],
    summary: 'Before.',
    model: 'other',
    signal: new AbortController().signal,
  });
  expect(words).toBe('They spoke of the sky.');
});

it('a conversation over the stand-in keeps within its window and its counts correct the estimate', async () => {
  const fake = createFakeOllama();
  const client = createClient({ baseUrl: 'http://fake', target: 'ollama', fetch: fake.fetch });
  const context = createContextWindow({ windowTokens: 600, reserveTokens: 100 });
  const conversation = createConversation({ client, context, model: 'stand-in' });
  for (let turn = 0; turn < 8; turn++) {
    fake.script([say('word '.repeat(40))]);
    await conversation.send('Tell me more about it, please. '.repeat(10));
  }
  const report = conversation.contextReport.get();
  expect(report?.droppedMessages).toBeGreaterThan(0);
  expect(report?.countedTokens).toBeGreaterThan(0);
  expect(report?.estimatedTokens).toBeLessThanOrEqual(500);
  conversation.dispose();
});

describe('estimates', () => {
  it.each([
    ['', 0],
    ['Hello there', 3],
    ['Привет', 3],
    ['今日は', 3],
  ])('estimateTokens(%o) is %i', (words, tokens) => {
    expect(estimateTokens(words)).toBe(tokens);
  });

  it('Calibration ignores small prompts, guesses and figures that cannot be', () => {
    const calibration = new Calibration();
    calibration.learn('m', 50, { inputTokens: 100, outputTokens: 1, source: 'upstream' });
    calibration.learn('m', 500, { inputTokens: 1000, outputTokens: 1, source: 'estimated' });
    calibration.learn('m', 500, { inputTokens: 5000, outputTokens: 1, source: 'upstream' });
    expect(calibration.factor('m')).toBe(1);
    calibration.learn('m', 500, { inputTokens: 1000, outputTokens: 1, source: 'upstream' });
    calibration.learn('m', 500, { inputTokens: 500, outputTokens: 1, source: 'upstream' });
    expect(calibration.factor('m')).toBe(1.5);
    expect(calibration.factor('other')).toBe(1);
  });
});
