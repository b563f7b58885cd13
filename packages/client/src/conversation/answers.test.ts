import { createFakeOllama, createManualClock, error, say } from '@ziggie/llm-testing';
import { describe, expect, it } from 'vitest';
import { openConversation, settle, shown } from '../../test/conversation/open-conversation.ts';
import { createClient } from '../create-client.ts';
import { ZiggieError } from '../errors/ziggie-error.ts';
import type { ChatEvent } from '../types.ts';
import { createConversation } from './create-conversation.ts';
import { createMemoryStorage } from './storage/memory.ts';
import type { ConversationOptions, ConversationRecord, TurnTools } from './types.ts';

const text = (words: string): ChatEvent => ({ type: 'text-delta', text: words });
const think = (words: string): ChatEvent => ({ type: 'thinking-delta', text: words });
const usage: ChatEvent = { type: 'usage', inputTokens: 3, outputTokens: 2, source: 'upstream' };
const done: ChatEvent = { type: 'done', finishReason: 'stop', timings: { decodeMs: 5, ttftMs: 1 } };
const atLength: ChatEvent = { type: 'done', finishReason: 'length', timings: { decodeMs: 5, ttftMs: 1 } };
const call = (id: string, name = 'f'): ChatEvent => ({ type: 'tool-call', id, name, arguments: { id } });

async function withAnswer(options: Partial<ConversationOptions> = {}, ...events: ChatEvent[]) {
  const open = openConversation(options);
  const sent = open.conversation.send('Hello');
  await settle();
  open.client.last().emit(...(events.length > 0 ? events : [text('Hi'), done]));
  await sent;
  return open;
}

describe('continue()', () => {
  it('adds to an answer that reached its length, gives it to the model as its own beginning, and adds the counts up', async () => {
    const { conversation, client } = await withAnswer({}, text('Once upon'), usage, atLength);
    const more = conversation.continue();
    expect(client.last().request.messages.slice(1)).toEqual([{ role: 'assistant', content: 'Once upon' }]);
    expect(conversation.message('m2').get()?.end).toBeUndefined();
    client.last().emit(text(' a time'), usage, done);
    await more;
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Once upon a time']);
    expect(conversation.message('m2').get()).toMatchObject({
      usage: { inputTokens: 6, outputTokens: 4, source: 'upstream' },
      timings: { decodeMs: 10, ttftMs: 1 },
      end: { kind: 'complete', finishReason: 'stop' },
    });
  });

  it('goes on after a stop, in words where the server takes no beginning', async () => {
    const { conversation, client } = openConversation({ prefill: false });
    const sent = conversation.send('Hello');
    await settle();
    client.last().emit(text('Half'));
    await settle();
    conversation.stop();
    await sent;
    void conversation.continue('m2');
    expect(client.last().request.messages.at(-1)).toMatchObject({ role: 'user' });
    client.last().emit(text(' done'), done);
    await settle();
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Half done']);
  });

  it('a restart of the continuation voids what it wrote and nothing before it', async () => {
    const { conversation, client } = await withAnswer({}, think('Hm'), text('Once'), usage, atLength);
    const more = conversation.continue();
    client.last().emit(text(' wrong'), { type: 'restart', attempt: 2 }, text(' right'), done);
    await more;
    expect(conversation.message('m2').get()).toMatchObject({
      text: 'Once right',
      thinking: 'Hm',
      thinkingMs: 0,
    });
  });

  it('refuses an answer that ended by itself, holds nothing, is no answer or is not the last', async () => {
    const { conversation, client } = await withAnswer();
    await expect(conversation.continue()).rejects.toThrow('ended by itself');
    await expect(conversation.continue('m1')).rejects.toThrow(TypeError);
    const failed = conversation.send('More');
    client.last().fail(new ZiggieError('server_busy', 'Busy.'));
    await failed;
    await expect(conversation.continue()).rejects.toThrow('holds no text');
    await expect(conversation.continue('m2')).rejects.toThrow('gone on');
    expect(client.runs).toHaveLength(2);
  });
});

describe('regenerate(), remove(), feedback and sources', () => {
  it('regenerate() with another model leaves the chosen one alone', async () => {
    const { conversation, client } = await withAnswer();
    const again = conversation.regenerate('m2', { model: 'large' });
    expect(client.last().request.model).toBe('large');
    client.last().emit(text('Better'), done);
    await again;
    expect(conversation.message('m3').get()).toMatchObject({ model: 'large', text: 'Better' });
    expect(conversation.model.get()).toBe('m');
    expect(conversation.siblings('m3')).toEqual(['m2', 'm3']);
  });

  it('remove() takes a message and all below it out, of the storage too, and its undo brings it back as it was', async () => {
    const storage = createMemoryStorage();
    const { conversation, client } = await withAnswer({ storage });
    const more = conversation.send('More');
    client.last().emit(text('Yes'), done);
    await more;
    const before = conversation.getState();
    const undo = conversation.remove('m2');
    expect(shown(conversation)).toEqual(['user: Hello']);
    await settle();
    expect(JSON.stringify(await storage.load('default'))).not.toContain('Yes');
    undo();
    undo();
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Hi', 'user: More', 'assistant: Yes']);
    await settle();
    const saved = await storage.load('default');
    expect(saved?.nodes.map(({ text: words }) => words)).toEqual(['Hello', 'Hi', 'More', 'Yes']);
    expect(saved?.head).toBe(before.head);
    conversation.remove('nobody')();
  });

  it('remove() of the answer that is written stops it, and shows the other branch', async () => {
    const { conversation, client } = await withAnswer();
    const again = conversation.regenerate();
    client.last().emit(text('Half'));
    await settle();
    const undo = conversation.remove('m3');
    await again;
    expect(client.last().open).toBe(false);
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Hi']);
    undo();
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Half (stopped)']);
  });

  it('setFeedback() and addSources() mark an answer, and are saved', async () => {
    const storage = createMemoryStorage();
    const { conversation } = await withAnswer({ storage });
    conversation.setFeedback('m2', { rating: 'down', note: 'Wrong year' });
    conversation.addSources('m2', [{ id: 'a', title: 'One' }, { id: 'b' }]);
    conversation.addSources('m2', [{ id: 'a', title: 'Two' }]);
    conversation.setFeedback('m1', { rating: 'up' });
    await settle();
    const saved = await storage.load('default');
    expect(saved?.nodes[1]).toMatchObject({
      feedback: { rating: 'down', note: 'Wrong year' },
      sources: [{ id: 'a', title: 'Two' }, { id: 'b' }],
    });
    expect(saved?.nodes[0]).not.toHaveProperty('feedback');
    conversation.setFeedback('m2', null);
    expect(conversation.message('m2').get()).not.toHaveProperty('feedback');
  });

  it('rename() names the conversation for good', async () => {
    const { conversation } = await withAnswer();
    expect(conversation.title.get()).toBe('Hello');
    conversation.rename(' Sky ');
    expect(conversation.title.get()).toBe('Sky');
    expect(() => conversation.rename(' ')).toThrow(TypeError);
  });

  it('attachments go along, stay with an edit, and may stand alone', async () => {
    const { conversation, client } = openConversation();
    const image = { kind: 'image', data: 'AAAA', mediaType: 'image/png', name: 'a.png' } as const;
    const sent = conversation.send({ text: '', attachments: [image] });
    await settle();
    expect(client.last().request.messages).toEqual([{ role: 'user', content: '', images: ['AAAA'] }]);
    expect(conversation.title.get()).toBe('a.png');
    client.last().emit(done);
    await sent;
    void conversation.edit('m1', 'What is it?');
    expect(client.last().request.messages).toEqual([
      { role: 'user', content: 'What is it?', images: ['AAAA'] },
    ]);
    const bad = { kind: 'image', data: 'data:image/png;base64,AAAA', mediaType: 'image/png' } as const;
    await expect(conversation.send({ text: 'x', attachments: [bad] })).rejects.toThrow('plain base64');
    conversation.dispose();
  });
});

describe('tools', () => {
  const definitions = [{ name: 'f', parameters: {} }];

  it('run after each round that calls them, and the model goes on in the same message', async () => {
    const rounds: unknown[] = [];
    const tools: TurnTools = {
      definitions,
      async run(calls, { round, turn, messages }) {
        rounds.push([round, calls.map(({ id }) => id), turn, messages.length]);
        return calls.map(({ id }) => ({
          callId: id,
          content: `result ${id}`,
          sources: [{ id: `s${id}` }],
          ...(id === 'b' && { state: 'failed' as const }),
        }));
      },
    };
    const { conversation, client } = openConversation({ tools });
    const sent = conversation.send('Weather?');
    await settle();
    expect(client.last().request.tools).toBe(definitions);
    client.last().emit(think('Hm'), text('Looking. '), call('a'), call('b'), usage, atLength);
    await settle();
    expect(client.runs).toHaveLength(2);
    expect(conversation.phase.get()).toEqual({ kind: 'connecting' });
    expect(client.last().request.messages.slice(1)).toMatchObject([
      { role: 'assistant', content: 'Looking. ', thinking: 'Hm', toolCalls: [{ id: 'a' }, { id: 'b' }] },
      { role: 'tool', content: 'result a', toolCallId: 'a', toolName: 'f' },
      { role: 'tool', content: 'result b', toolCallId: 'b' },
    ]);
    client.last().emit(call('a'), usage, done);
    await settle();
    client.last().emit(text('Rain.'), usage, done);
    await sent;
    expect(conversation.message('m2').get()).toMatchObject({
      text: 'Looking. Rain.',
      usage: { inputTokens: 9, outputTokens: 6 },
      timings: { decodeMs: 15 },
      sources: [{ id: 'sa' }, { id: 'sb' }],
      toolCalls: [
        { id: 'a', round: 0, textAt: 9, thinkingAt: 2, state: 'done', result: 'result a' },
        { id: 'b', round: 0, state: 'failed', result: 'result b' },
        { id: 'a', round: 1, textAt: 9, state: 'done', result: 'result a' },
      ],
    });
    const turn = (rounds[0] as unknown[])[2];
    expect(rounds).toEqual([
      [0, ['a', 'b'], turn, 1],
      [1, ['a'], turn, 4],
    ]);
  });

  it('show what they are waiting for, and a stop does not wait for them', async () => {
    let signal: AbortSignal | undefined;
    const tools: TurnTools = {
      definitions,
      run(_, round) {
        signal = round.signal;
        round.note('a', 'waiting');
        return new Promise(() => {});
      },
    };
    const { conversation, client, frame } = openConversation({ tools });
    const sent = conversation.send('Delete it');
    await settle();
    client.last().emit(call('a'), done);
    await settle();
    frame();
    expect(conversation.message('m2').get()?.toolCalls[0]?.state).toBe('waiting');
    expect(conversation.phase.get()).toEqual({ kind: 'tool', callId: 'a', name: 'f' });
    conversation.stop();
    await sent;
    expect(signal?.aborted).toBe(true);
    expect(conversation.message('m2').get()?.end).toEqual({ kind: 'stopped' });
  });

  it('end the turn as failed when they throw, and after too many rounds', async () => {
    const boom: TurnTools = { definitions, run: () => Promise.reject(new Error('secret')) };
    const thrown = await withAnswer({ tools: boom }, call('a'), done);
    expect(thrown.conversation.message('m2').get()?.end).toMatchObject({
      failure: { code: 'internal_error' },
    });
    expect(JSON.stringify(thrown.conversation.message('m2').get())).not.toContain('secret');
    const tools: TurnTools = { definitions, maxRounds: 2, run: async () => [] };
    const { conversation, client } = openConversation({ tools });
    const sent = conversation.send('Loop');
    await settle();
    for (let round = 0; round < 2; round++) {
      client.last().emit(call('a'), done);
      await settle();
    }
    await sent;
    expect(client.runs).toHaveLength(2);
    expect(conversation.message('m2').get()).toMatchObject({
      end: { failure: { code: 'tool_loop', retryable: false } },
      toolCalls: [{ result: 'The tool gave no result.', state: 'failed' }, {}],
    });
  });

  it('never run for a stream that broke off', async () => {
    let ran = 0;
    const tools: TurnTools = {
      definitions,
      run: async () => {
        ran++;
        return [];
      },
    };
    const { conversation, client } = openConversation({ tools });
    const sent = conversation.send('Delete it');
    await settle();
    client.last().emit(call('a'));
    client.last().end();
    await sent;
    expect(ran).toBe(0);
    expect(conversation.message('m2').get()?.end).toMatchObject({ failure: { code: 'truncated' } });
  });

  it('without any, calls are kept and the turn ends', async () => {
    const { conversation } = await withAnswer({}, call('a'), done);
    expect(conversation.message('m2').get()).toMatchObject({
      toolCalls: [{ id: 'a' }],
      end: { kind: 'complete' },
    });
  });
});

it('clear() while a save is under way: the storage does not bring back what was cleared', async () => {
  const storage = createMemoryStorage();
  const { conversation, client } = openConversation({ storage });
  await settle();
  void conversation.send('Old');
  client.last().emit(text('x'));
  const cleared = conversation.clear();
  await cleared;
  await settle();
  expect(conversation.getState().nodes.size).toBe(0);
  expect(await storage.load('default')).toBeNull();
});

it('a failed attempt shows as reconnecting, with when the next one goes out, and the next one as connecting', async () => {
  const fake = createFakeOllama();
  const clock = createManualClock();
  fake.script([error('server busy, please try again.  maximum pending requests exceeded', { status: 503 })]);
  fake.script([say('Here.')]);
  const client = createClient({
    baseUrl: 'http://fake',
    target: 'ollama',
    fetch: fake.fetch,
    clock,
    random: () => 0.5,
  });
  const conversation = createConversation({ client, model: 'stand-in', clock, wallNow: () => clock.now() });
  const sent = conversation.send('Hello');
  await expect.poll(() => conversation.phase.get()?.kind).toBe('reconnecting');
  expect(conversation.phase.get()).toEqual({
    kind: 'reconnecting',
    attempt: 2,
    maxAttempts: null,
    nextTryAt: clock.now() + 250,
  });
  clock.advance(250);
  await sent;
  expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Here.']);
  conversation.dispose();
});

it('an answer that ended keeps its end, though the record saved while it was written has a later wall time', async () => {
  let wall = 5000;
  const storage = createMemoryStorage();
  const { conversation, client } = openConversation({ storage, wallNow: () => (wall += 10) });
  const sent = conversation.send('Hello');
  await settle();
  client.last().emit(text('Hi'), done);
  await sent;
  await settle();
  expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Hi']);
  expect((await storage.load('default'))?.nodes[1]).toMatchObject({ text: 'Hi', end: { kind: 'complete' } });
  // Nor is a judgement lost that comes by a clock that went back.
  wall = 10;
  conversation.setFeedback('m2', { rating: 'up' });
  conversation.rename('Earlier');
  await settle();
  expect(await storage.load('default')).toMatchObject({
    title: 'Earlier',
    nodes: [{}, { feedback: { rating: 'up' } }],
  });
  expect(conversation.message('m2').get()).toMatchObject({ feedback: { rating: 'up' } });
  conversation.dispose();
});

it('after clear() what another tab adds still comes in with the next save, without being told of it', async () => {
  const { watch: _, ...storage } = createMemoryStorage();
  const { conversation, client } = openConversation({ storage });
  await settle();
  await conversation.clear();
  const sent = conversation.send('Ours');
  await settle();
  const saved = await storage.load('default');
  if (saved === null) throw new Error('Nothing was saved.');
  const theirs = {
    id: 't',
    parentId: null,
    role: 'user',
    text: 'Theirs',
    thinking: '',
    toolCalls: [],
  } as const;
  await storage.save({ ...saved, nodes: [...saved.nodes, { ...theirs, createdAt: 1 }] });
  client.last().emit(text('Hi'), done);
  await sent;
  await settle();
  expect(conversation.message('t').get()?.text).toBe('Theirs');
  expect(shown(conversation)).toEqual(['user: Ours', 'assistant: Hi']);
  conversation.dispose();
});

it('clear() while a slow save is under way: what it kept does not come back', async () => {
  const { watch: _, ...memory } = createMemoryStorage();
  let finish = (): void => {};
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const storage = {
    ...memory,
    async save(record: ConversationRecord) {
      const kept = await memory.save(record);
      await held;
      return kept;
    },
  };
  const { conversation } = openConversation({ storage });
  await settle();
  void conversation.send('Old');
  await settle();
  const cleared = conversation.clear();
  finish();
  await cleared;
  await settle();
  expect(conversation.getState().nodes.size).toBe(0);
  expect(await memory.load('default')).toBeNull();
  conversation.dispose();
});
