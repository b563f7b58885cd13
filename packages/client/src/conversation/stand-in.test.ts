import { createFakeOllama, cut, error, say, stall, think } from '@ziggie/llm-testing';
import { describe, expect, it } from 'vitest';
import { shown } from '../../test/conversation/open-conversation.ts';
import { createClient } from '../create-client.ts';
import { createConversation } from './create-conversation.ts';
import type { ConversationOptions } from './types.ts';

/** A conversation over a real client, over the stand-in. */
function open(options: Partial<ConversationOptions> = {}) {
  const fake = createFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY });
  const client = createClient({
    baseUrl: 'http://stand-in',
    target: 'ollama',
    fetch: (input, init) => fake.fetch(input as Request, init),
    retry: { maxAttempts: 1 },
  });
  return { fake, conversation: createConversation({ client, model: 'stand-in', ...options }) };
}

describe('over the stand-in', () => {
  it('two turns: the second carries the first', async () => {
    const { fake, conversation } = open({ system: 'Be kind.' });
    fake.script([say('Hello, you.')]);
    fake.script([say('Fine.')]);
    await conversation.send('Hi');
    await conversation.send('How are you?');
    expect(shown(conversation)).toEqual([
      'user: Hi',
      'assistant: Hello, you.',
      'user: How are you?',
      'assistant: Fine.',
    ]);
    expect(fake.report().requests.at(-1)?.body).toMatchObject({
      model: 'stand-in',
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello, you.' },
        { role: 'user', content: 'How are you?' },
      ],
    });
    const [, id = ''] = conversation.messageIds.get();
    expect(conversation.message(id).get()).toMatchObject({
      end: { kind: 'complete', finishReason: 'stop' },
      usage: { source: 'upstream' },
      timings: { totalMs: expect.any(Number) },
    });
  });

  it('thinking is kept apart from the answer', async () => {
    const { fake, conversation } = open({ model: 'stand-in-thinking', think: true });
    fake.script([think('Let me see.'), say('Seven.')]);
    await conversation.send('3 + 4?');
    const [, id = ''] = conversation.messageIds.get();
    expect(conversation.message(id).get()).toMatchObject({
      thinking: 'Let me see.',
      text: 'Seven.',
      thinkingMs: expect.any(Number),
    });
  });

  it('stop() frees the slot and keeps the partial answer, which goes along next time', async () => {
    const { fake, conversation } = open();
    fake.script([say('Half an answer'), stall()]);
    const sent = conversation.send('Hi');
    await fake.waitFor((report) => (report.requests.at(-1)?.records ?? 0) > 0);
    const watched = new Promise<void>((resolve) => {
      const end = conversation.phase.subscribe(() => {
        if (conversation.phase.get()?.kind !== 'writing') return;
        end();
        resolve();
      });
    });
    await watched;
    conversation.stop();
    await sent;
    await fake.waitFor((report) => report.openGenerations === 0);
    expect(fake.report().disconnects).toHaveLength(1);
    const [, partial] = shown(conversation);
    expect(partial).toMatch(/^assistant: Half.* \(stopped\)$/);
    await conversation.send('Go on');
    expect(fake.report().requests.at(-1)?.body).toMatchObject({
      messages: [{}, { role: 'assistant', content: expect.stringMatching(/^Half/) }, { content: 'Go on' }],
    });
  });

  it('stop() before the first byte closes the request too', async () => {
    const { fake, conversation } = open();
    fake.script([stall()]);
    const sent = conversation.send('Hi');
    await fake.waitFor((report) => report.openGenerations === 1);
    conversation.stop();
    await sent;
    await fake.waitFor((report) => report.openGenerations === 0);
    expect(shown(conversation)).toEqual(['user: Hi', 'assistant:  (stopped)']);
  });

  it('a server that dies mid-answer leaves the partial answer, and retry() works', async () => {
    const { fake, conversation } = open();
    fake.script([say('Half an answer'), cut('reset')]);
    await conversation.send('Hi');
    const [, id = ''] = conversation.messageIds.get();
    expect(conversation.message(id).get()).toMatchObject({
      text: 'Half an answer',
      end: { kind: 'failed', failure: { code: 'truncated', retryable: true } },
    });
    fake.script([say('A whole answer.')]);
    await conversation.retry();
    expect(shown(conversation)).toEqual(['user: Hi', 'assistant: A whole answer.']);
    expect(conversation.siblings(id)).toHaveLength(2);
    expect(fake.report().requests.at(-1)?.body).toMatchObject({
      messages: [{ role: 'user', content: 'Hi' }],
    });
  });

  it('an error of the server becomes a failed turn with its code and status', async () => {
    const { fake, conversation } = open();
    fake.script(error('model "gone" not found, try pulling it first', { status: 404 }));
    await conversation.send('Hi');
    const [, id = ''] = conversation.messageIds.get();
    expect(conversation.message(id).get()?.end).toMatchObject({
      kind: 'failed',
      failure: { code: 'model_not_found', status: 404, retryable: false },
    });
  });
});
