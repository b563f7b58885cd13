import { describe, expect, it } from 'vitest';
import { openConversation, settle, shown, WALL_START } from '../../test/conversation/open-conversation.ts';
import { ZiggieError } from '../errors/ziggie-error.ts';
import type { ChatEvent } from '../types.ts';
import { createConversation } from './create-conversation.ts';
import type { ConversationState, RunPhase } from './types.ts';

const start: ChatEvent = { type: 'start', id: 'r', model: 'm', upstreamModel: 'm', resumable: false };
const text = (words: string): ChatEvent => ({ type: 'text-delta', text: words });
const think = (words: string): ChatEvent => ({ type: 'thinking-delta', text: words });
const usage: ChatEvent = { type: 'usage', inputTokens: 3, outputTokens: 2, source: 'upstream' };
const done: ChatEvent = { type: 'done', finishReason: 'stop', timings: { totalMs: 5 } };
const busy = new ZiggieError('server_busy', 'Busy.', { status: 503, requestId: 'req_1', retryAfterMs: 2000 });

/** A conversation with one finished turn: `u1` is m1, its answer m2. */
async function withOneTurn() {
  const open = openConversation();
  const sent = open.conversation.send('Hello');
  await settle();
  open.client.last().emit(text('Hi'), done);
  await sent;
  return open;
}

describe('send()', () => {
  it('appends the message and its answer, and resolves when the turn is over', async () => {
    const { conversation, client } = openConversation({
      system: 'Be kind.',
      think: true,
      options: { seed: 1 },
    });
    const sent = conversation.send(' Hello ');
    await settle();
    expect(client.last().request).toEqual({
      model: 'm',
      think: true,
      options: { seed: 1 },
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: ' Hello ' },
      ],
    });
    expect(conversation.runningId.get()).toBe('m2');
    client.last().emit(start, think('Hm'), text('Hi'), usage, done);
    await sent;
    expect(shown(conversation)).toEqual(['user:  Hello ', 'assistant: Hi']);
    expect(conversation.message('m2').get()).toEqual({
      id: 'm2',
      parentId: 'm1',
      role: 'assistant',
      text: 'Hi',
      thinking: 'Hm',
      thinkingMs: 0,
      toolCalls: [],
      createdAt: WALL_START,
      changedAt: WALL_START,
      model: 'm',
      usage: { inputTokens: 3, outputTokens: 2, source: 'upstream' },
      timings: { totalMs: 5 },
      end: { kind: 'complete', finishReason: 'stop' },
    });
    expect(conversation.getState()).toMatchObject({ title: 'Hello', head: 'm2', run: null });
  });

  it('shows the message at once, without waiting for a frame', async () => {
    const { conversation } = openConversation();
    await settle();
    void conversation.send('Hello');
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: ']);
    expect(conversation.phase.get()).toEqual({ kind: 'connecting' });
  });

  it('carries the branch on', async () => {
    const { conversation, client } = await withOneTurn();
    void conversation.send('And now?');
    expect(client.last().request.messages.map(({ content }) => content)).toEqual(['Hello', 'Hi', 'And now?']);
    expect(conversation.getState().title).toBe('Hello');
  });

  it('two sends in one task start one run, and the second waits its turn', async () => {
    const { conversation, client } = openConversation();
    // Both while the record is being read, then both while one runs.
    const first = conversation.send('one');
    const second = conversation.send('two');
    await settle();
    expect(client.runs).toHaveLength(1);
    await expect(conversation.send('three', { whenBusy: 'reject' })).rejects.toThrow(
      'another is in progress',
    );
    await expect(conversation.regenerate()).rejects.toThrow('another is in progress');
    client.last().emit(done);
    await first;
    expect(client.runs).toHaveLength(2);
    client.last().emit(done);
    await second;
    expect(shown(conversation)).toEqual(['user: one', 'assistant: ', 'user: two', 'assistant: ']);
  });

  it('refuses empty text and a missing model, and changes nothing', async () => {
    const { conversation, client } = openConversation({ model: undefined });
    await expect(conversation.send(' \n')).rejects.toThrow(TypeError);
    await expect(conversation.send('Hello')).rejects.toThrow('no model is chosen');
    expect(conversation.getState().nodes.size).toBe(0);
    expect(client.runs).toHaveLength(0);
    conversation.setModel('later');
    void conversation.send('Hello');
    expect(client.last().request.model).toBe('later');
  });

  it('an id that createId() repeats is refused before it can bend the tree', async () => {
    const { conversation } = openConversation({ createId: () => 'same' });
    await expect(conversation.send('Hello')).rejects.toThrow('createId()');
    expect(conversation.getState().run).toBeNull();
    expect(conversation.getState().nodes.get('same')?.parentId ?? null).toBeNull();
  });
});

describe('phases', () => {
  /** The kinds of phase seen after each event. */
  async function phasesOf(...events: ChatEvent[]): Promise<(string | undefined)[]> {
    const { conversation, client, frame } = openConversation();
    void conversation.send('Hello');
    await settle();
    const kinds = [conversation.phase.get()?.kind];
    for (const event of events) {
      client.last().emit(event);
      await settle();
      frame();
      kinds.push(conversation.phase.get()?.kind);
    }
    conversation.dispose();
    return kinds;
  }
  const queued: ChatEvent = { type: 'queued', position: 1, of: 2, etaMs: null };
  const loading: ChatEvent = { type: 'loading', model: 'm', elapsedMs: 100, typicalMs: 900 };
  const call: ChatEvent = { type: 'tool-call', id: 'c', name: 'f', arguments: {} };

  it('follow the events of a run', async () => {
    expect(await phasesOf(queued, loading, start, think('a'), text('b'), usage, done)).toEqual([
      'connecting',
      'queued',
      'loading',
      'reading',
      'thinking',
      'writing',
      'writing',
      undefined,
    ]);
    expect(await phasesOf(start, queued, loading, think('a'), call, think('b'), call, text('c'))).toEqual([
      'connecting',
      'reading',
      'queued',
      'loading',
      'thinking',
      'tool',
      'thinking',
      'tool',
      'writing',
    ]);
  });

  it('never go back to a place in line once tokens came', async () => {
    expect(await phasesOf(text('a'), queued, loading, start, think('b'))).toEqual([
      'connecting',
      ...Array(5).fill('writing'),
    ]);
  });

  it('carry place, times and model', async () => {
    const { conversation, client, clock, frame } = openConversation();
    void conversation.send('Hello');
    await settle();
    const next = async (event: ChatEvent): Promise<RunPhase | null> => {
      client.last().emit(event);
      await settle();
      frame();
      return conversation.phase.get();
    };
    expect(await next(queued)).toEqual({ kind: 'queued', position: 1, of: 2, etaMs: null });
    await clock.advance(1000);
    const startedAt = WALL_START + 900;
    expect(await next(loading)).toEqual({ kind: 'loading', model: 'm', startedAt, typicalMs: 900 });
    await clock.advance(1000);
    // 1 s later by our clock, 1.05 s by the server's: the start stays where it was.
    const later: ChatEvent = { type: 'loading', model: 'm', elapsedMs: 1150, typicalMs: 900 };
    expect(await next(later)).toEqual({ kind: 'loading', model: 'm', startedAt, typicalMs: 900 });
    expect(await next(start)).toEqual({ kind: 'reading', startedAt: WALL_START + 2000 });
    await clock.advance(500);
    expect(await next(think('Hm'))).toEqual({ kind: 'thinking', startedAt: WALL_START + 2500 });
    await clock.advance(1500);
    expect(await next(text('a'))).toMatchObject({ kind: 'writing', tokens: 1, tokensPerSecond: null });
    expect(conversation.message('m2').get()?.thinkingMs).toBe(1500);
    for (let token = 0; token < 9; token++) {
      await clock.advance(100);
      client.last().emit(text('a'));
      await settle();
    }
    await next(text(''));
    expect(conversation.phase.get()).toEqual({
      kind: 'writing',
      startedAt: WALL_START + 4000,
      tokens: 10,
      tokensPerSecond: 10,
    });
    conversation.dispose();
  });

  it('two spells of thinking are added up', async () => {
    const { conversation, client, clock } = openConversation();
    const sent = conversation.send('Hello');
    await settle();
    for (const event of [think('a'), call, think('b'), done]) {
      client.last().emit(event);
      await settle();
      await clock.advance(100);
    }
    await sent;
    expect(conversation.message('m2').get()).toMatchObject({ thinking: 'ab', thinkingMs: 200 });
  });

  it('a restart voids what the failed attempt wrote', async () => {
    const { conversation, client, frame } = openConversation();
    const sent = conversation.send('Hello');
    await settle();
    client.last().emit(think('old'), call, text('old'), usage, { type: 'restart', attempt: 2 });
    await settle();
    frame();
    expect(conversation.phase.get()).toEqual({ kind: 'connecting' });
    expect(conversation.message('m2').get()).toMatchObject({ text: '', thinking: '', toolCalls: [] });
    client.last().emit(start, text('new'), done);
    await sent;
    const node = conversation.message('m2').get();
    expect(node).toMatchObject({ text: 'new', thinking: '', toolCalls: [] });
    expect(node).not.toHaveProperty('usage');
    expect(node).not.toHaveProperty('thinkingMs');
  });

  it('members of events that are not what they should be are left out', async () => {
    const { conversation, client, frame } = openConversation();
    const sent = conversation.send('Hello');
    await settle();
    const wrong = [
      { type: 'text-delta', text: { toString: 'x' } },
      { type: 'thinking-delta' },
      { type: 'queued', position: 'first', of: 2, etaMs: null },
      { type: 'usage', inputTokens: Number.NaN, outputTokens: 2, source: 'upstream' },
      { type: 'tool-call', id: 'c', name: 'f', arguments: 'none' },
      { type: 'tool-call', id: 7, name: 'f', arguments: {} },
      { type: 'of another century' },
      { type: 'text-delta', text: 'ok' },
      { type: 'done', finishReason: 'bored', timings: { totalMs: '5', loadMs: 2, extra: 1 } },
    ];
    client.last().emit(...(wrong.slice(0, 3) as unknown as ChatEvent[]));
    await settle();
    frame();
    expect(conversation.phase.get()).toEqual({ kind: 'connecting' });
    client.last().emit(...(wrong as unknown as ChatEvent[]));
    await sent;
    const node = conversation.message('m2').get();
    expect(node).toMatchObject({
      text: 'ok',
      toolCalls: [],
      end: { kind: 'complete', finishReason: 'stop' },
    });
    expect(node?.timings).toEqual({ loadMs: 2 });
    expect(node?.usage).toBeUndefined();
  });
});

describe('a failed turn', () => {
  it('keeps what was written and tells why, as plain data', async () => {
    const { conversation, client, clock } = openConversation();
    const sent = conversation.send('Hello');
    await settle();
    client.last().emit(text('Half an ans'));
    await settle();
    await clock.advance(300);
    client.last().fail(busy);
    await sent;
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Half an ans (failed)']);
    expect(conversation.message('m2').get()?.end).toEqual({
      kind: 'failed',
      failure: {
        code: 'server_busy',
        message: 'Busy.',
        status: 503,
        retryable: true,
        requestId: 'req_1',
        retryAt: WALL_START + 2300,
      },
    });
    expect(conversation.phase.get()).toBeNull();
  });

  it('a stream that ends without an end is truncated', async () => {
    const { conversation, client } = openConversation();
    const sent = conversation.send('Hello');
    await settle();
    client.last().emit(text('Hi'));
    client.last().end();
    await sent;
    expect(conversation.message('m2').get()?.end).toMatchObject({ failure: { code: 'truncated' } });
  });

  it('a client that throws at once is a failed turn too', async () => {
    const { client } = openConversation();
    const chat = (): never => {
      throw new TypeError('No such thing.');
    };
    const conversation = createConversation({ client: { ...client, chat }, model: 'm' });
    await conversation.send('Hello');
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant:  (failed)']);
  });

  it('is left out of the next request', async () => {
    const { conversation, client } = openConversation();
    const sent = conversation.send('Hello');
    await settle();
    client.last().emit(text('Half'));
    client.last().fail(busy);
    await sent;
    void conversation.send('Again?');
    expect(client.last().request.messages.map(({ content }) => content)).toEqual(['Hello', 'Again?']);
  });
});

describe('stop()', () => {
  it.each<[string, ChatEvent[], string]>([
    ['connecting', [], ''],
    ['queued', [{ type: 'queued', position: 1, of: 1, etaMs: null }], ''],
    ['loading', [{ type: 'loading', model: 'm', elapsedMs: 0, typicalMs: null }], ''],
    ['reading', [start], ''],
    ['thinking', [think('Hm')], ''],
    ['tool', [{ type: 'tool-call', id: 'c', name: 'f', arguments: {} }], ''],
    ['writing', [text('Half '), text('an')], 'Half an'],
  ])('while %s ends the run and keeps what was written', async (kind, events, kept) => {
    const { conversation, client, frame } = openConversation();
    const sent = conversation.send('Hello');
    await settle();
    client.last().emit(...events);
    await settle();
    frame();
    expect(conversation.phase.get()?.kind).toBe(kind);
    conversation.stop();
    expect(conversation.phase.get()).toEqual({ kind: 'stopping' });
    conversation.stop();
    await sent;
    expect(client.last().open).toBe(false);
    expect(conversation.phase.get()).toBeNull();
    expect(conversation.message('m2').get()).toMatchObject({ text: kept, end: { kind: 'stopped' } });
  });

  it('in the task of the end: what came first wins, and nothing is lost', async () => {
    const { conversation, client } = openConversation();
    const late = conversation.send('one');
    await settle();
    client.last().emit(text('all of it'), usage, done);
    conversation.stop();
    await late;
    expect(conversation.message('m2').get()).toMatchObject({
      text: 'all of it',
      usage: { outputTokens: 2 },
      timings: { totalMs: 5 },
      end: { kind: 'stopped' },
    });
    const early = conversation.send('two');
    await settle();
    client.last().emit(text('whole'), done);
    await early;
    conversation.stop();
    expect(conversation.message('m4').get()?.end).toEqual({ kind: 'complete', finishReason: 'stop' });
  });

  it('a restart that is read after it voids nothing', async () => {
    const { conversation, client } = openConversation();
    const sent = conversation.send('one');
    await settle();
    client.last().emit(text('kept'), { type: 'restart', attempt: 2 }, text(' too'));
    conversation.stop();
    await sent;
    expect(conversation.message('m2').get()).toMatchObject({ text: 'kept too', end: { kind: 'stopped' } });
  });

  it('a failure after it is still a stop', async () => {
    const { conversation, client } = openConversation();
    const sent = conversation.send('one');
    await settle();
    client.last().fail(busy);
    conversation.stop();
    await sent;
    expect(conversation.message('m2').get()?.end).toEqual({ kind: 'stopped' });
  });

  it('without a run does nothing', async () => {
    const { conversation } = await withOneTurn();
    const before = conversation.getState();
    conversation.stop();
    expect(conversation.getState()).toBe(before);
  });
});

describe('retry()', () => {
  async function failedTurn(...written: ChatEvent[]) {
    const open = openConversation();
    const sent = open.conversation.send('Hello');
    await settle();
    open.client.last().emit(...written);
    open.client.last().fail(busy);
    await sent;
    return open;
  }

  it('shows another answer; the failed one stays reachable', async () => {
    const { conversation, client } = await failedTurn(text('Half'));
    const retried = conversation.retry();
    client.last().emit(text('Whole'), done);
    await retried;
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Whole']);
    expect(conversation.siblings('m3')).toEqual(['m2', 'm3']);
    conversation.switchTo('m2');
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Half (failed)']);
  });

  it('drops a failed answer that holds nothing', async () => {
    const { conversation, client } = await failedTurn();
    const retried = conversation.retry();
    client.last().emit(text('Whole'), done);
    await retried;
    expect(conversation.siblings('m3')).toEqual(['m3']);
    expect(conversation.message('m2').get()).toBeUndefined();
  });

  it('keeps a failed answer that only thought', async () => {
    const { conversation } = await failedTurn(think('Hm'));
    void conversation.retry();
    expect(conversation.siblings('m2')).toEqual(['m2', 'm3']);
  });

  it('asks the model that is chosen now', async () => {
    const { conversation, client } = await failedTurn();
    conversation.setModel('other');
    void conversation.retry();
    expect(client.last().request.model).toBe('other');
    expect(conversation.message('m3').get()?.model).toBe('other');
  });

  it('of a complete answer, or of nothing, is refused', async () => {
    const { conversation } = await withOneTurn();
    await expect(conversation.retry()).rejects.toThrow('neither failed nor was stopped');
    await expect(openConversation().conversation.retry()).rejects.toThrow('neither failed nor was stopped');
  });
});

describe('branches', () => {
  it('regenerate() makes another answer beside the last, or beside any', async () => {
    const { conversation, client } = await withOneTurn();
    const again = conversation.regenerate();
    expect(client.last().request.messages).toEqual([{ role: 'user', content: 'Hello' }]);
    client.last().emit(text('Hey'), done);
    await again;
    const next = conversation.send('More');
    client.last().emit(text('Much more'), done);
    await next;
    expect(shown(conversation)).toEqual([
      'user: Hello',
      'assistant: Hey',
      'user: More',
      'assistant: Much more',
    ]);
    const third = conversation.regenerate('m2');
    client.last().emit(text('Yo'), done);
    await third;
    expect(conversation.siblings('m2')).toEqual(['m2', 'm3', 'm6']);
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Yo']);
    await expect(conversation.regenerate('m1')).rejects.toThrow(TypeError);
    await expect(conversation.regenerate('nobody')).rejects.toThrow(TypeError);
  });

  it('regenerate() keeps an empty answer that the conversation went on from', async () => {
    const { conversation, client } = openConversation();
    for (const words of ['one', 'two']) {
      const sent = conversation.send(words);
      await settle();
      client.last().emit(done);
      await sent;
    }
    void conversation.regenerate('m2');
    expect(conversation.siblings('m2')).toEqual(['m2', 'm5']);
    conversation.switchTo('m2');
    expect(conversation.messageIds.get()).toEqual(['m1', 'm2', 'm3', 'm4']);
    conversation.dispose();
  });

  it('edit() makes a sibling of the message and answers it', async () => {
    const { conversation, client } = await withOneTurn();
    const edited = conversation.edit('m1', 'Goodbye');
    expect(client.last().request.messages).toEqual([{ role: 'user', content: 'Goodbye' }]);
    client.last().emit(text('Bye'), done);
    await edited;
    expect(shown(conversation)).toEqual(['user: Goodbye', 'assistant: Bye']);
    expect(conversation.siblings('m1')).toEqual(['m1', 'm3']);
    await expect(conversation.edit('m2', 'x')).rejects.toThrow(TypeError);
    await expect(conversation.edit('nobody', 'x')).rejects.toThrow(TypeError);
    await expect(conversation.edit('m1', ' ')).rejects.toThrow(TypeError);
  });

  it('switchTo() shows the branch through a message, down to its newest end', async () => {
    const { conversation, client } = await withOneTurn();
    const edited = conversation.edit('m1', 'Goodbye');
    client.last().emit(text('Bye'), done);
    await edited;
    conversation.switchTo('m1');
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Hi']);
    conversation.switchTo('m3');
    expect(shown(conversation)).toEqual(['user: Goodbye', 'assistant: Bye']);
    const before = conversation.getState();
    conversation.switchTo('nobody');
    expect(conversation.getState()).toBe(before);
    expect(conversation.siblings('nobody')).toEqual([]);
  });

  it('a run goes on while another branch is shown', async () => {
    const { conversation, client } = await withOneTurn();
    const edited = conversation.edit('m1', 'Goodbye');
    conversation.switchTo('m1');
    client.last().emit(text('Bye'), done);
    expect(conversation.runningId.get()).toBe('m4');
    await edited;
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Hi']);
    expect(conversation.message('m4').get()).toMatchObject({ text: 'Bye', end: { kind: 'complete' } });
  });
});

describe('clear() and dispose()', () => {
  it('clear() during a run ends it, and what arrives late reaches nothing', async () => {
    const { conversation, client } = openConversation();
    const sent = conversation.send('Hello');
    await settle();
    client.last().emit(text('old'));
    const cleared = conversation.clear();
    expect(shown(conversation)).toEqual([]);
    const next = conversation.send('New');
    client.last().emit(text('fresh'), done);
    client.runs[0]?.emit(text('late'), done);
    await Promise.all([sent, cleared, next]);
    expect(shown(conversation)).toEqual(['user: New', 'assistant: fresh']);
    expect(conversation.getState().nodes.size).toBe(2);
    expect(conversation.getState().title).toBe('New');
    expect(client.runs.map(({ open }) => open)).toEqual([false, false]);
  });

  it('dispose() ends the run, keeps the partial answer and refuses new turns', async () => {
    const { conversation, client, clock } = openConversation();
    const sent = conversation.send('Hello');
    await settle();
    client.last().emit(text('Half'));
    await settle();
    let calls = 0;
    conversation.phase.subscribe(() => calls++);
    conversation.dispose();
    conversation.dispose();
    await sent;
    expect(client.last().open).toBe(false);
    expect(shown(conversation)).toEqual(['user: Hello', 'assistant: Half (stopped)']);
    expect(clock.pending).toBe(0);
    expect(calls).toBe(1);
    await expect(conversation.send('More')).rejects.toThrow('disposed');
    await expect(conversation.clear()).rejects.toThrow('disposed');
  });

  it('dispose() while the record is read refuses the turn that waits for it', async () => {
    const { conversation, client } = openConversation();
    const sent = conversation.send('Hello');
    conversation.dispose();
    await expect(sent).rejects.toThrow('disposed');
    expect(client.runs).toHaveLength(0);
  });

  it('the functions work on their own', async () => {
    const { conversation, client } = openConversation();
    const { send, stop, getState, message, siblings } = conversation;
    const sent = send('Hello');
    await settle();
    client.last().emit(text('Hi'));
    stop();
    await sent;
    const state: ConversationState = getState();
    expect(state.head).toBe('m2');
    expect(message('m2').get()?.text).toBe('Hi');
    expect(siblings('m2')).toEqual(['m2']);
  });

  it('an empty id is refused at once', () => {
    expect(() => openConversation({ id: '' })).toThrow(TypeError);
  });
});
