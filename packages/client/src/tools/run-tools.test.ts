import { callTool, createFakeOllama, createManualClock, cut, garbage, say, think } from '@ziggie/llm-testing';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { z } from 'zod';
import { createClient } from '../create-client.ts';
import { isZiggieError } from '../errors/ziggie-error.ts';
import { defineTool, runTools, type Tool, type ToolRunEvent, type ToolRunOptions } from '../tools.ts';

function setUp(options: { clock?: ReturnType<typeof createManualClock> } = {}) {
  const fake = createFakeOllama({
    tokensPerSecond: Infinity,
    models: [{ name: 'm', capabilities: ['completion', 'tools', 'thinking'] }],
    ...options,
  });
  const client = createClient({
    baseUrl: 'http://ollama.test',
    target: 'ollama',
    fetch: fake.fetch,
    random: () => 0,
    ...options,
  });
  const run = (tools: readonly Tool[], more?: ToolRunOptions) =>
    runTools(client, { model: 'm', messages: [{ role: 'user', content: 'Go' }], tools }, more);
  const sent = () => fake.report().requests.map(({ body }) => body as SentBody);
  return { fake, client, run, sent };
}
interface SentBody {
  tools: { function: { name: string; parameters: unknown } }[];
  messages: {
    role: string;
    content: string;
    thinking?: string;
    tool_calls?: unknown;
    tool_name?: string;
    tool_call_id?: string;
  }[];
}
const addition = defineTool({
  name: 'add',
  description: 'Adds two numbers.',
  parameters: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => a + b,
});
const plain = (name: string, execute: Tool['execute'], more: object = {}) =>
  defineTool({ name, description: name, execute, ...more });
async function collect(run: AsyncIterable<ToolRunEvent>): Promise<ToolRunEvent[]> {
  const events: ToolRunEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}
const failure = async (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('It succeeded.'),
    (error: unknown) => (isZiggieError(error) ? error : expect.fail(String(error))),
  );

describe('runTools()', () => {
  it('runs what the model calls and asks again until it answers', async () => {
    const { fake, run, sent } = setUp();
    fake.script([think('Hm.'), say('Let me see. '), callTool('add', { a: 2, b: 3 })]);
    fake.script(say('It is 5.'));
    const stream = run([addition]);
    const events = await collect(stream);
    const kinds = events.map(({ type }) => type).filter((type, at, all) => type !== all[at - 1]);
    expect(kinds).toEqual([
      'start',
      'thinking-delta',
      'text-delta',
      'tool-call',
      'usage',
      'tool-start',
      'tool-result',
      'start',
      'text-delta',
      'usage',
      'done',
    ]);
    const result = await stream.final();
    expect(await stream.text()).toBe('It is 5.');
    expect(result).toMatchObject({
      rounds: 2,
      finishReason: 'stop',
      toolResults: [{ outcome: 'ok', content: '5', result: 5 }],
    });
    const id = result.toolCalls[0]?.id;
    expect(sent()[1]?.messages).toEqual([
      { role: 'user', content: 'Go' },
      {
        role: 'assistant',
        content: 'Let me see. ',
        thinking: 'Hm.',
        tool_calls: [{ id, function: { name: 'add', arguments: { a: 2, b: 3 } } }],
      },
      { role: 'tool', content: '5', tool_name: 'add', tool_call_id: id },
    ]);
    expect(result.messages.at(-1)).toEqual({ role: 'assistant', content: 'It is 5.' });
    // The last `usage` counts for all rounds.
    const counted = events.filter((event) => event.type === 'usage');
    expect(counted).toHaveLength(2);
    expect(result.usage).toEqual({ ...counted[1], type: undefined });
    expect(counted[1]?.outputTokens).toBeGreaterThan(counted[0]?.outputTokens ?? 0);
    expect(result.attempts).toHaveLength(2);
  });

  it('shows the model a JSON Schema of zod, of an explicit one, and of no arguments', async () => {
    const { fake, run, sent } = setUp();
    fake.script(say('Hi'));
    const explicit = { type: 'object', properties: { a: { type: 'string' } } };
    const fromValibot = defineTool({
      name: 'v',
      description: '',
      parameters: v.object({ a: v.string() }),
      jsonSchema: explicit,
      execute: ({ a }) => a,
    });
    await run([addition, fromValibot, plain('none', () => 1)]).final();
    expect(sent()[0]?.tools.map((tool) => tool.function.parameters)).toEqual([
      expect.objectContaining({ type: 'object', required: ['a', 'b'] }),
      explicit,
      { type: 'object', properties: {} },
    ]);
    expect(JSON.stringify(sent())).not.toContain('$schema');
  });

  it('gives tools the type their schema gives', () => {
    defineTool({
      name: 't',
      description: '',
      parameters: z.object({ on: z.string().transform((text) => new Date(text)) }),
      jsonSchema: { type: 'object' },
      execute: (args) => expectTypeOf(args).toEqualTypeOf<{ on: Date }>(),
    });
    expectTypeOf(addition).toExtend<Tool<{ a: number; b: number }, number>>();
    expectTypeOf(plain('x', () => 1)).toExtend<Tool>();
  });

  it('tells the model what is wrong with its arguments, and does not run the tool', async () => {
    const { fake, run, sent } = setUp();
    fake.script(callTool('add', { a: 'two', b: 3 }));
    fake.script(callTool('add', { a: 2, b: 3 }));
    fake.script(say('5'));
    const { toolResults } = await run([addition]).final();
    expect(toolResults.map(({ outcome }) => outcome)).toEqual(['invalid_arguments', 'ok']);
    expect(sent()[1]?.messages.at(-1)?.content).toContain(
      '- a: Invalid input: expected number, received string',
    );
  });

  it('corrects the name of a tool that does not exist', async () => {
    const { fake, run, sent } = setUp();
    fake.script(callTool('__proto__'));
    fake.script(say('Sorry'));
    const { toolResults } = await run([addition]).final();
    expect(toolResults[0]?.outcome).toBe('unknown_tool');
    expect(sent()[1]?.messages.at(-1)?.content).toBe('There is no tool of this name. The tools are: add.');
  });

  it('tells the model of failures, and the app what was thrown', async () => {
    const { fake, run } = setUp();
    const thrown = new Error('No such town.');
    const circle: { self?: unknown } = {};
    circle.self = circle;
    fake.script([callTool('breaks'), callTool('circle')]);
    fake.script(say('Sorry'));
    const tools = [plain('breaks', () => Promise.reject(thrown)), plain('circle', () => circle)];
    const { toolResults } = await run(tools).final();
    expect(toolResults[0]).toMatchObject({
      outcome: 'failed',
      content: 'The tool failed: No such town.',
      error: thrown,
    });
    expect(toolResults[1]).toMatchObject({ outcome: 'failed' });
  });

  it('keeps the words of errors from the model when asked to', async () => {
    const { fake, run, sent } = setUp();
    fake.script(callTool('breaks'));
    fake.script(say('Sorry'));
    const breaks = plain('breaks', () => Promise.reject(new Error('postgres://canary')));
    await run([breaks], { describeError: () => 'Not available.' }).final();
    expect(JSON.stringify(sent())).not.toContain('canary');
    expect(sent()[1]?.messages.at(-1)?.content).toBe('Not available.');
  });

  it('runs calls side by side up to the limit, and sends results in the order of the calls', async () => {
    const { fake, run, sent } = setUp();
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const slow = plain('slow', async (args) => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
      return (args as { n: number }).n;
    });
    fake.script([0, 1, 2, 3, 4].map((n) => callTool('slow', { n })));
    fake.script(say('Done'));
    const order: unknown[] = [];
    const reading = (async () => {
      for await (const event of run([slow], { maxParallel: 2 })) {
        if (event.type === 'tool-result') order.push(event.result);
      }
    })();
    // The newer of the running ones ends first.
    for (let ended = 0; ended < 5; ended++) {
      await vi.waitFor(() => expect(ends.length).toBeGreaterThan(0));
      ends.pop()?.();
    }
    await reading;
    expect(most).toBe(2);
    expect(order).toHaveLength(5);
    expect(order).not.toEqual([0, 1, 2, 3, 4]);
    expect(
      sent()[1]
        ?.messages.slice(2)
        .map(({ content }) => content),
    ).toEqual(['0', '1', '2', '3', '4']);
  });

  it('gives up on a tool after its time, by signal', async () => {
    const clock = createManualClock();
    const { fake, run } = setUp({ clock });
    const signals: AbortSignal[] = [];
    const hangs = (name: string, more?: object) =>
      plain(name, (_, { signal }) => new Promise(() => signals.push(signal)), more);
    fake.script([callTool('own'), callTool('general')]);
    fake.script(say('Sorry'));
    const stream = run([hangs('own', { timeoutMs: 5_000 }), hangs('general')], { toolTimeoutMs: 9_000 });
    const result = stream.final();
    await vi.waitFor(() => expect(signals).toHaveLength(2));
    await clock.advance(5_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await clock.advance(4_000);
    const { toolResults } = await result;
    expect(toolResults.map(({ outcome, content, durationMs }) => [outcome, content, durationMs])).toEqual([
      ['timed_out', 'The tool gave no result within 5000 ms.', 5_000],
      ['timed_out', 'The tool gave no result within 9000 ms.', 9_000],
    ]);
  });

  it('ends the whole run at timeouts.totalMs, also while a tool runs', async () => {
    const clock = createManualClock();
    const { fake, run } = setUp({ clock });
    let seen: AbortSignal | undefined;
    fake.script(callTool('hangs'));
    const hangs = plain('hangs', (_, { signal }) => {
      seen = signal;
      return new Promise(() => {});
    });
    const failed = failure(run([hangs], { timeouts: { totalMs: 2_000 } }).final());
    await vi.waitFor(() => expect(seen).toBeDefined());
    await clock.advance(2_000);
    expect(await failed).toMatchObject({ code: 'deadline_exceeded', afterMs: 2_000 });
    expect(seen?.aborted).toBe(true);
  });

  it('asks for approval, one call at a time, and tells the model the reason of a refusal', async () => {
    const { fake, run } = setUp();
    const ran: unknown[] = [];
    const erase = plain('erase', (args) => ran.push(args), {
      needsApproval: (args: { all?: boolean }) => args.all === true,
    });
    fake.script([
      callTool('erase', { all: true }),
      callTool('erase', { all: true, sure: true }),
      callTool('erase', {}),
    ]);
    fake.script(say('Done'));
    let asking = 0;
    const stream = run([erase], {
      async approve({ arguments: args }) {
        expect(++asking).toBe(1);
        await Promise.resolve();
        asking--;
        return (args as { sure?: boolean }).sure ? true : { approved: false, reason: 'not today' };
      },
    });
    const events = await collect(stream);
    expect(events.filter(({ type }) => type === 'tool-approval')).toHaveLength(2);
    const { toolResults } = await stream.final();
    expect(toolResults.map(({ outcome }) => outcome)).toEqual(['denied', 'ok', 'ok']);
    expect(toolResults[0]?.content).toBe('The user did not allow this call: not today');
    expect(ran).toHaveLength(2);
  });

  it('refuses what needs approval when nobody can give it, or says something else than yes', async () => {
    for (const approve of [undefined, () => 'yes' as never, () => ({}) as never]) {
      const { fake, run } = setUp();
      const execute = vi.fn();
      fake.script(callTool('erase'));
      fake.script(say('Sorry'));
      const { toolResults } = await run([plain('erase', execute, { needsApproval: true })], {
        approve,
      }).final();
      expect(toolResults[0]?.outcome).toBe('denied');
      expect(execute).not.toHaveBeenCalled();
    }
  });

  it('an approval hook that throws ends the run without running anything', async () => {
    const { fake, run } = setUp();
    const cause = new Error('dialog closed');
    const execute = vi.fn();
    fake.script(callTool('erase'));
    const stream = run([plain('erase', execute, { needsApproval: true })], {
      approve: () => Promise.reject(cause),
    });
    expect(await failure(stream.final())).toMatchObject({
      name: 'ToolError',
      code: 'tool_failed',
      toolName: 'erase',
      cause,
    });
    expect(execute).not.toHaveBeenCalled();
  });

  it('answers the second identical call with a word and ends with tool_loop at the fourth', async () => {
    const { fake, run, sent } = setUp();
    const execute = vi.fn(() => 'the same');
    // The order of members makes no other call.
    const calls = [
      { a: 1, b: { c: 2, d: 3 } },
      { b: { d: 3, c: 2 }, a: 1 },
    ];
    for (let at = 0; at < 4; at++) fake.script(callTool('look', calls[at % 2]));
    const failed = await failure(run([plain('look', execute)]).final());
    expect(failed).toMatchObject({
      name: 'ToolError',
      code: 'tool_loop',
      toolName: 'look',
      retryable: false,
    });
    expect(failed.attempts).toHaveLength(4);
    expect(execute).toHaveBeenCalledTimes(1);
    expect(sent()[2]?.messages.at(-1)?.content).toMatch(/^You made this call with the same arguments before/);
  });

  it('lets a call that failed be tried again, and a repeatable tool be polled', async () => {
    const { fake, run } = setUp();
    let tries = 0;
    const flaky = plain('flaky', () => {
      if (++tries === 1) throw new Error('busy');
      return 'ok';
    });
    for (let at = 0; at < 2; at++) fake.script(callTool('flaky'));
    for (let at = 0; at < 5; at++) fake.script(callTool('poll'));
    fake.script(say('Done'));
    const { toolResults } = await run([flaky, plain('poll', () => 'not yet', { repeatable: true })]).final();
    expect(toolResults.map(({ outcome }) => outcome)).toEqual(['failed', ...Array(6).fill('ok')]);
  });

  it('ends with tool_loop after maxRounds', async () => {
    const { fake, run } = setUp();
    for (let n = 0; n < 3; n++) fake.script(callTool('add', { a: n, b: n }));
    const failed = await failure(run([addition], { maxRounds: 2 }).final());
    expect(failed).toMatchObject({
      code: 'tool_loop',
      message: expect.stringContaining('more than 2 rounds'),
    });
  });

  it('never runs a call of an answer that broke off', async () => {
    const { fake, run } = setUp();
    const execute = vi.fn();
    fake.script([callTool('erase'), cut()]);
    const failed = await failure(run([plain('erase', execute)], { retry: { maxAttempts: 1 } }).final());
    expect(failed).toMatchObject({ code: 'truncated', partial: { toolCalls: [{ name: 'erase' }] } });
    expect(execute).not.toHaveBeenCalled();
  });

  it('makes ids its own when the server gives none or the same ones again', async () => {
    const { fake, run, sent } = setUp();
    const record = (calls: object[]) =>
      garbage(
        `${JSON.stringify({ model: 'm', message: { role: 'assistant', content: '', tool_calls: calls }, done: false })}\n`,
      );
    const call = (n: number, id?: string) => ({
      ...(id && { id }),
      function: { index: 0, name: 'add', arguments: { a: n, b: n } },
    });
    fake.script([record([call(1), call(2)])]);
    fake.script([record([call(3), call(4, 'call_0')])]);
    fake.script(say('Done'));
    const { toolCalls, toolResults } = await run([addition]).final();
    const ids = toolCalls.map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    expect(toolResults.map(({ id }) => id)).toEqual(ids);
    expect(
      sent()[2]
        ?.messages.filter(({ role }) => role === 'tool')
        .map((message) => message.tool_call_id),
    ).toEqual(ids);
  });

  it.each(['abort()', 'signal', 'break'])(
    '%s ends the run while a tool runs, and tells the tool',
    async (way) => {
      const { fake, run } = setUp();
      const control = new AbortController();
      const reason = new Error('enough');
      let seen: AbortSignal | undefined;
      const hangs = plain('hangs', (_, { signal }) => {
        seen = signal;
        return new Promise(() => {});
      });
      fake.script(callTool('hangs'));
      const stream = run([hangs], { signal: control.signal });
      if (way === 'break') {
        for await (const event of stream) if (event.type === 'tool-start') break;
        await expect(stream.final()).rejects.toMatchObject({ code: 'aborted' });
      } else {
        const failed = failure(stream.final());
        await vi.waitFor(() => expect(seen).toBeDefined());
        if (way === 'signal') control.abort(reason);
        else stream.abort(reason);
        expect(await failed).toMatchObject({
          name: 'AbortError',
          code: 'aborted',
          cause: reason,
          partial: { toolCalls: [{ name: 'hangs' }] },
          attempts: [{ number: 1 }],
        });
      }
      expect(seen?.aborted).toBe(true);
      expect(fake.report().openGenerations).toBe(0);
    },
  );

  it('leaves no listener on a signal that many runs share', async () => {
    const { fake, run } = setUp();
    const control = new AbortController();
    const add = vi.spyOn(control.signal, 'addEventListener');
    const remove = vi.spyOn(control.signal, 'removeEventListener');
    for (let at = 0; at < 20; at++) {
      fake.script(callTool('add', { a: 1, b: 2 }));
      fake.script(say('3'));
      await run([addition], { signal: control.signal }).final();
    }
    expect(add.mock.calls.length).toBe(20);
    expect(remove.mock.calls.length).toBe(20);
  });

  it('sends nothing before it is read, and cuts results that are too long', async () => {
    const { fake, run, sent } = setUp();
    fake.script(callTool('long'));
    fake.script(say('Long.'));
    const stream = run([plain('long', () => 'x'.repeat(100))], { maxResultCharacters: 10 });
    await Promise.resolve();
    expect(fake.report().requests).toHaveLength(0);
    await stream.final();
    expect(sent()[1]?.messages.at(-1)?.content).toBe('xxxxxxxxxx\n[cut off: 90 more characters]');
  });

  it.each([
    [{ tools: 'add' }, /"tools" is not a list/],
    [{ tools: [{ name: 'add' }] }, /defineTool\(\) did not make/],
    [{ tools: [addition, addition] }, /two tools are named "add"/],
    [{ messages: undefined }, /"messages" is missing/],
  ])('refuses %j at once', (wrong, message) => {
    const { client } = setUp();
    expect(() =>
      runTools(client, { model: 'm', messages: [], tools: [addition], ...(wrong as object) }),
    ).toThrow(message);
  });
});

describe('defineTool()', () => {
  const base = { name: 't', description: '', execute: () => 1 };
  it.each([
    [{ name: 'a b' }, /a name is 1 to 64/],
    [{ parameters: z.string() }, /models give objects only/],
    [{ parameters: v.object({}) }, /valibot gives no JSON Schema of its own here\. Pass one as "jsonSchema"/],
    [{ parameters: z.object({ at: z.date() }) }, /cannot be said in JSON Schema/],
    [{ parameters: {} }, /give a Standard Schema/],
    [{ timeoutMs: 0 }, /timeoutMs is a number above 0/],
  ])('refuses %o', (wrong, message) => {
    expect(() => defineTool({ ...base, ...wrong } as never)).toThrow(message);
  });
});
