import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ask, inProcess, jsonOf } from './doors.ts';

interface Tree {
  name: string;
  children: Tree[];
}
const tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), children: z.array(tree) }));

const schemas = {
  flat: z.object({ name: z.string(), age: z.int(), alive: z.boolean(), note: z.string().optional() }),
  bounds: z.object({
    a: z.number().min(3).max(4),
    b: z.int().gt(7),
    c: z.int().lt(-2),
    d: z.number().multipleOf(0.5).min(2.2),
    e: z.number().gt(0).lt(1),
    f: z.int().multipleOf(7).min(20),
  }),
  texts: z.object({
    short: z.string().max(3),
    long: z.string().min(80),
    date: z.iso.date(),
    time: z.iso.datetime(),
    mail: z.email(),
    url: z.url(),
    id: z.uuid(),
    ip: z.ipv4(),
    code: z.string().regex(/^[A-Z]{3}-\d{4}$/),
    slug: z
      .string()
      .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/)
      .min(5),
    either: z.string().regex(/^(?:yes|no)$/),
  }),
  choices: z.object({
    level: z.enum(['low', 'high']),
    kind: z.literal('x'),
    either: z.union([z.string(), z.number()]),
    maybe: z.string().nullable(),
    tagged: z.discriminatedUnion('type', [
      z.object({ type: z.literal('a'), a: z.number() }),
      z.object({ type: z.literal('b'), b: z.string() }),
    ]),
  }),
  lists: z.object({
    three: z.array(z.object({ n: z.int() })).min(3),
    pair: z.tuple([z.string(), z.int()]),
    none: z.array(z.string()).max(0),
    different: z.array(z.union([z.literal('a'), z.literal('b')])).min(1),
  }),
  record: z.object({ scores: z.record(z.string(), z.number()) }),
  both: z.intersection(z.object({ a: z.string() }), z.object({ b: z.int() })),
  recursive: tree,
  array: z.array(z.string()).min(2),
  scalar: z.int().min(5),
};

describe('an answer in a format satisfies it', () => {
  it.each(Object.entries(schemas))('%s', async (_, schema) => {
    const { post } = await inProcess.open();
    const format = z.toJSONSchema(schema);
    const body = ask('What about llamas?', { format, stream: false });
    const first = (await jsonOf(await post('/api/chat', body))).message?.content ?? '';
    expect(schema.safeParse(JSON.parse(first)).error).toBeUndefined();
    expect((await jsonOf(await post('/api/chat', body))).message?.content).toBe(first);
  });

  it.each([
    [{ type: 'array', items: { enum: ['a', 'b', 'c'] }, minItems: 3, uniqueItems: true }, ['a', 'b', 'c']],
    [{ type: 'object', required: ['x'] }, { x: null }],
    [{ $ref: '#/$defs/a~1b', $defs: { 'a/b': { const: 7 } } }, 7],
    [{ type: 'string', pattern: '^(?=x)x$' }, 'What about llamas'],
    [
      { allOf: [{ properties: { a: { const: 1 } }, required: ['a'] }, { properties: { b: { const: 2 } } }] },
      { a: 1, b: 2 },
    ],
  ])('%j', async (format, wanted) => {
    const { post } = await inProcess.open();
    const record = await jsonOf(
      await post('/api/chat', ask('What about llamas?', { format, stream: false })),
    );
    const answer = JSON.parse(record.message?.content ?? '');
    if (typeof wanted === 'object' && 'x' in wanted) expect(answer).toHaveProperty('x');
    else expect(answer).toEqual(wanted);
  });
});
