import { callTool, createFakeOllama, finish, type Script, type Step, say } from '@ziggie/llm-testing';
import { describe, expect, it } from 'vitest';
import { createConversation } from '../conversation.ts';
import { createClient } from '../index.ts';
import { defineTool, type TurnToolsOptions, turnTools } from '../tools.ts';

function open(scripts: readonly (Script | Step)[], options: TurnToolsOptions = {}) {
  const fake = createFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY });
  for (const script of scripts) fake.script('kind' in script ? [script] : script);
  const client = createClient({
    baseUrl: 'http://ollama.test',
    target: 'ollama',
    fetch: fake.fetch,
    retry: { maxAttempts: 1 },
  });
  const ran: unknown[] = [];
  const tool = (name: string, needsApproval: boolean) =>
    defineTool({
      name,
      description: 'A tool.',
      needsApproval,
      execute: (args) => {
        ran.push([name, args]);
        if (args['broken'] === true) throw new Error('It broke.');
        return { degrees: 7 };
      },
    });
  const tools = turnTools([tool('weather', false), tool('erase', true)], options);
  const conversation = createConversation({ client, model: 'stand-in', tools });
  const uses = () => {
    const id = conversation.messageIds.get().at(-1) ?? '';
    return conversation.message(id).get()?.toolCalls ?? [];
  };
  return { fake, conversation, ran, uses };
}

const calls = (name: string, args: Record<string, unknown>): Script => [callTool(name, args), finish()];

describe('turnTools()', () => {
  it('runs what the model calls, shows how it is doing and sends the result back', async () => {
    const { fake, conversation, ran, uses } = open([
      calls('weather', { town: 'Zug' }),
      say('Seven degrees.'),
    ]);
    await conversation.send('How is the weather?');
    expect(ran).toEqual([['weather', { town: 'Zug' }]]);
    expect(uses()).toMatchObject([{ name: 'weather', state: 'done', result: '{"degrees":7}' }]);
    expect(JSON.stringify(fake.report().requests.at(-1)?.body)).toContain('degrees');
  });

  it('asks before a tool that needs it, and tells the model what the reader said', async () => {
    const seen: unknown[] = [];
    const { conversation, ran, uses } = open([calls('erase', { path: '/tmp/x' }), say('Then not.')], {
      approve(call) {
        seen.push(call.arguments, uses()[0]?.state);
        return { approved: false, reason: 'not today' };
      },
    });
    await conversation.send('Erase it');
    expect(seen[0]).toEqual({ path: '/tmp/x' });
    expect(ran).toEqual([]);
    expect(uses()).toMatchObject([{ state: 'denied', result: expect.stringContaining('not today') }]);
  });

  it('runs nothing that needs approval when nobody can be asked', async () => {
    const { conversation, ran, uses } = open([calls('erase', {}), say('No.')]);
    await conversation.send('Erase it');
    expect(ran).toEqual([]);
    expect(uses()).toMatchObject([{ state: 'denied' }]);
  });

  it('tells the model of a tool that failed, and of one that does not exist', async () => {
    const { conversation, uses } = open([
      calls('weather', { broken: true }),
      calls('wheather', {}),
      say('Sorry.'),
    ]);
    await conversation.send('Go');
    expect(uses()).toMatchObject([
      { state: 'failed', result: 'The tool failed: It broke.' },
      { state: 'failed', result: expect.stringContaining('There is no tool of this name') },
    ]);
  });

  it('ends a turn whose model repeats itself, and only that turn', async () => {
    const again = calls('weather', { town: 'Zug' });
    const { conversation, ran } = open([again, again, again, again, again, say('Seven.')]);
    await conversation.send('Loop');
    const id = conversation.messageIds.get().at(-1) ?? '';
    expect(conversation.message(id).get()?.end).toMatchObject({
      kind: 'failed',
      failure: { code: 'tool_loop' },
    });
    expect(ran).toHaveLength(1);
    await conversation.send('Once more');
    expect(ran).toHaveLength(2);
  });

  it('refuses two tools of one name', () => {
    const twice = defineTool({ name: 'twice', description: 'Twice.', execute: () => 1 });
    expect(() => turnTools([twice, twice])).toThrow(TypeError);
  });
});
