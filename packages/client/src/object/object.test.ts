import { createFakeOllama, cut, say, think } from '@ziggie/llm-testing';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { createClient } from '../create-client.ts';
import { isZiggieError } from '../errors/ziggie-error.ts';
import { type DeepPartial, type ObjectOptions, OutputError, object } from '../tools.ts';

const Person = z.object({ name: z.string(), age: z.number().int(), tags: z.array(z.string()).default([]) });
const good = '{"name":"Ada","age":36,"tags":["x","y"]}';
const wrong = '{"name":"Ada","age":"old"}';

function setUp() {
  const fake = createFakeOllama({ tokensPerSecond: Infinity });
  const client = createClient({
    baseUrl: 'http://ollama.test',
    target: 'ollama',
    fetch: fake.fetch,
    random: () => 0,
  });
  const ask = (options?: ObjectOptions) =>
    object(client, { model: 'stand-in', prompt: 'Who?', schema: Person }, options);
  const bodies = () =>
    fake.report().requests.map(({ body }) => body as { format: unknown; messages: { content: string }[] });
  return { fake, client, ask, bodies };
}

async function failure(work: Promise<unknown>): Promise<OutputError> {
  try {
    await work;
  } catch (error) {
    if (isZiggieError(error)) return error as OutputError;
    throw error;
  }
  return expect.fail('It succeeded.');
}

describe('object()', () => {
  it('gives the checked value and holds the model to the schema', async () => {
    const { fake, ask, bodies } = setUp();
    fake.script(say('{"name":"Ada","age":36}'));
    const { value, usage, failedTries, text } = await ask().final();
    expect(value).toEqual({ name: 'Ada', age: 36, tags: [] });
    expectTypeOf(value).toEqualTypeOf<{ name: string; age: number; tags: string[] }>();
    expect(text).toBe('{"name":"Ada","age":36}');
    expect(failedTries).toEqual([]);
    expect(usage?.outputTokens).toBeGreaterThan(0);
    expect(bodies()[0]).toMatchObject({
      format: { type: 'object', required: ['name', 'age'] },
      messages: [{ role: 'user', content: 'Who?' }],
    });
  });

  it('shows the value while it is written, as a typed part of it', async () => {
    const { fake, ask } = setUp();
    fake.script([think('{"not":"this"}'), say(good)]);
    const shown: unknown[] = [];
    const stream = ask();
    for await (const part of stream) {
      expectTypeOf(part).toEqualTypeOf<DeepPartial<z.input<typeof Person>>>();
      expectTypeOf(part.tags).toEqualTypeOf<string[] | undefined>();
      shown.push(structuredClone(part));
    }
    expect(shown[0]).toEqual({});
    expect(shown).toContainEqual({ name: 'Ada' });
    expect(shown.at(-1)).toEqual(JSON.parse(good));
    expect(await stream.value()).toEqual(JSON.parse(good));
  });

  it('asks again with what is wrong, and counts all tries', async () => {
    const { fake, ask, bodies } = setUp();
    fake.script(say(wrong));
    fake.script(say(good));
    const shown: unknown[] = [];
    const stream = ask();
    for await (const part of stream) shown.push(structuredClone(part));
    const { value, failedTries, attempts } = await stream.final();
    expect(value.age).toBe(36);
    expect(failedTries).toEqual([
      { text: wrong, issues: [{ path: ['age'], message: expect.stringContaining('expected number') }] },
    ]);
    expect(attempts).toHaveLength(2);
    expect(bodies()[1]?.messages).toEqual([
      { role: 'user', content: 'Who?' },
      { role: 'assistant', content: wrong },
      { role: 'user', content: expect.stringContaining('- age: Invalid input: expected number') },
    ]);
    // A new try begins anew.
    expect(shown.filter((part) => JSON.stringify(part) === '{}')).toHaveLength(2);
  });

  it('ends with an OutputError that has text and issues, and is safe to log', async () => {
    const { fake, ask } = setUp();
    for (let at = 0; at < 3; at++) fake.script(say(wrong));
    const error = await failure(ask().value());
    expect(error).toBeInstanceOf(OutputError);
    expect(error).toMatchObject({
      code: 'schema_invalid',
      text: wrong,
      issues: [{ path: ['age'] }],
      retryable: false,
    });
    expect(error.attempts).toHaveLength(3);
    expect(`${error.message}${JSON.stringify(error)}`).not.toMatch(/Ada|old/);
    fake.script(say('I would rather not.'));
    const other = await failure(ask({ repairs: 0 }).value());
    expect(other.issues).toEqual([{ message: 'this is not JSON', path: [] }]);
  });

  it('does not ask again when the answer was cut at its longest length', async () => {
    const { fake, client } = setUp();
    fake.script(say(good), { times: 3 });
    const request = { model: 'stand-in', prompt: 'Who?', schema: Person, options: { num_predict: 3 } };
    const error = await failure(object(client, request).value());
    expect(error.message).toContain('Raise options.num_predict');
    expect(fake.report().requests).toHaveLength(1);
  });

  it('a failure of the stream is no failure of the form', async () => {
    const { fake, ask } = setUp();
    fake.script([say('{"name":'), cut()]);
    expect(await failure(ask().value())).toMatchObject({ code: 'truncated', partial: { text: '{"name":' } });
  });

  it.each([
    ['a fence', `\`\`\`json\n${good}\n\`\`\``],
    ['a sentence and a fence', `Here it is:\n\`\`\`json\n${good}\n\`\`\`\nAnything else?`],
    ['a sentence', `Sure! ${good} That is all.`],
  ])('finds the value in %s', async (_, answer) => {
    const { fake, ask } = setUp();
    fake.script(say(answer));
    const stream = ask({ repairs: 0 });
    const shown: unknown[] = [];
    for await (const part of stream) shown.push(structuredClone(part));
    expect(shown.at(-1)).toEqual(JSON.parse(good));
    expect(await stream.value()).toEqual(JSON.parse(good));
  });

  it('__proto__ in an answer changes nothing', async () => {
    const { fake, client } = setUp();
    fake.script(say('{"__proto__":{"admin":true},"a":{"__proto__":{"admin":true}}}'));
    const schema = z.looseObject({ a: z.looseObject({}) });
    const stream = object(client, { model: 'stand-in', prompt: '', schema });
    for await (const part of stream) expect((part as { admin?: boolean }).admin).toBeUndefined();
    const value = await stream.value();
    expect(Object.keys(value)).toEqual(['a']);
    expect((value as { admin?: boolean }).admin).toBeUndefined();
  });

  it('takes other libraries with an explicit JSON Schema, and checks that wait', async () => {
    const { fake, client, bodies } = setUp();
    fake.script(say('{"n":1}'), { times: 2 });
    const schema = v.objectAsync({
      n: v.pipeAsync(
        v.number(),
        v.checkAsync(async (n) => n > 1, 'too small'),
      ),
    });
    const jsonSchema = { type: 'object', properties: { n: { type: 'number' } } };
    const stream = object(client, { model: 'stand-in', prompt: '', schema, jsonSchema }, { repairs: 0 });
    expect((await failure(stream.value())).issues).toEqual([{ message: 'too small', path: ['n'] }]);
    expect(bodies()[0]?.format).toEqual(jsonSchema);
  });

  it('gives exactly the success rate that the failures of the model allow', async () => {
    const { fake, client } = setUp();
    const runs = 400;
    // A fixed sequence: three in ten answers do not fit.
    let state = 1;
    const fits = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647 >= 0.3;
    };
    let computed = 0;
    const expected: boolean[] = [];
    for (let at = 0; at < runs; at++) {
      let fitted = false;
      for (let tries = 0; tries < 3 && !fitted; tries++) {
        fitted = fits();
        fake.script(say(fitted ? good : wrong), { contains: '' });
      }
      expected.push(fitted);
      if (fitted) computed++;
    }
    const got: boolean[] = [];
    for (let at = 0; at < runs; at++) {
      const stream = object(client, { model: 'stand-in', prompt: 'Who?', schema: Person });
      got.push(
        await stream.value().then(
          () => true,
          () => false,
        ),
      );
    }
    expect(got).toEqual(expected);
    expect(computed / runs).toBeGreaterThanOrEqual(0.95);
    expect(got.filter(Boolean).length).toBe(computed);
  });

  it('leaving the loop and abort() close the connection', async () => {
    const { fake, ask } = setUp();
    fake.script([say('{"name":"A'), { kind: 'stall', ms: undefined }], { times: 2 });
    for await (const _ of ask()) break;
    const stream = ask();
    const failed = failure(stream.value());
    await fake.waitFor((report) => report.requests.length === 2 && (report.requests[1]?.records ?? 0) > 0);
    stream.abort();
    expect(await failed).toMatchObject({ code: 'aborted' });
    await fake.waitFor((report) => report.openGenerations === 0 && report.disconnects.length === 2);
  });

  it('refuses a question without words or schema at once', () => {
    const { client } = setUp();
    expect(() => object(client, { model: 'm', schema: Person } as never)).toThrow(
      /give "messages", or a "prompt"/,
    );
    expect(() => object(client, { model: 'm', prompt: '' } as never)).toThrow(/give a Standard Schema/);
    expect(() => object(client, { model: 'm', prompt: '', schema: Person }, { repairs: -1 })).toThrow(
      /repairs/,
    );
  });
});
