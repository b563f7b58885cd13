import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseChat } from '../request/chat-shape.ts';
import { type CacheScope, cacheKey, type ServedModel } from './cache-key.ts';
import { questionOf } from './question.ts';

const scope: CacheScope = { tenant: 'acme', user: 'ada' };
const model: ServedModel = { name: 'llama3:latest', digests: ['aa'] };
const body = {
  model: 'llama3',
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi' },
    { role: 'user', content: 'What is a lease?' },
  ],
  options: { temperature: 0 },
};
const keyOf = (given: object, who = scope, by = model) =>
  cacheKey(who, by, questionOf(parseChat(given)).text).digest;

const mutations: [name: string, key: () => string][] = [
  ['the tenant', () => keyOf(body, { ...scope, tenant: 'umbrella' })],
  ['no tenant', () => keyOf(body, { ...scope, tenant: undefined })],
  ['a tenant without a name', () => keyOf(body, { ...scope, tenant: '' })],
  ['the user', () => keyOf(body, { ...scope, user: 'bob' })],
  ['no user', () => keyOf(body, { ...scope, user: undefined })],
  ['tenant and user changed about', () => keyOf(body, { tenant: 'ada', user: 'acme' })],
  ['the model', () => keyOf(body, scope, { ...model, name: 'qwen3:latest' })],
  ['the file of the model', () => keyOf(body, scope, { ...model, digests: ['bb'] })],
  ['a second file of the model', () => keyOf(body, scope, { ...model, digests: ['aa', 'bb'] })],
  ['the temperature', () => keyOf({ ...body, options: { temperature: 0.1 } })],
  ['a seed', () => keyOf({ ...body, options: { temperature: 0, seed: 1 } })],
  ['how long it may be', () => keyOf({ ...body, max_tokens: 100 })],
  ['where it stops', () => keyOf({ ...body, options: { temperature: 0, stop: ['x'] } })],
  [
    'the system prompt',
    () => keyOf({ ...body, messages: [{ role: 'system', content: 'Be long.' }, ...body.messages.slice(1)] }),
  ],
  [
    'an earlier turn',
    () => keyOf({ ...body, messages: body.messages.with(2, { role: 'assistant', content: 'Ho' }) }),
  ],
  [
    'whose turn it was',
    () => keyOf({ ...body, messages: body.messages.with(2, { role: 'user', content: 'Hi' }) }),
  ],
  [
    'the last turn',
    () => keyOf({ ...body, messages: body.messages.with(3, { role: 'user', content: 'What is a lease? ' }) }),
  ],
  [
    'an image',
    () =>
      keyOf({ ...body, messages: body.messages.with(3, { ...body.messages[3], images: ['AAAA'] } as never) }),
  ],
  ['a tool', () => keyOf({ ...body, tools: [{ type: 'function', function: { name: 'look' } }] })],
  ['a format', () => keyOf({ ...body, format: 'json' })],
  ['thinking', () => keyOf({ ...body, think: true })],
  ['truncation', () => keyOf({ ...body, truncate: false })],
];

test(`${mutations.length} changes of one member give ${mutations.length} other keys`, () => {
  const keys = [keyOf(body), ...mutations.map(([, key]) => key())];
  expect(new Set(keys).size).toBe(keys.length);
  expect(mutations.length).toBeGreaterThanOrEqual(12);
});

test.each([
  ['how it travels', { ...body, stream: false, resume: true }],
  [
    'what no model is told',
    { ...body, keep_alive: '5m', shift: true, options: { temperature: 0, num_ctx: 9 } },
  ],
  [
    'the order of members',
    {
      options: { temperature: 0 },
      messages: body.messages.map(({ role, content }) => ({ content, role })),
      model: 'llama3',
    },
  ],
  ['where an option stands', { ...body, options: {}, temperature: 0 }],
  ['what is the default anyway', { ...body, max_tokens: 4096 }],
  ['how the model is called', { ...body, model: 'an-alias-of-it' }],
])('%s is no part of the question', (_name, other) => {
  expect(keyOf(other)).toBe(keyOf(body));
});

test('no two different lists of parts have one key, whatever signs are in them', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '"', ',', '[', ']', '\n', ':', '\\', '\u0000', 'null'),
    maxLength: 6,
  });
  const parts = fc.tuple(
    fc.option(text, { nil: undefined }),
    fc.option(text, { nil: undefined }),
    text,
    fc.array(text, { maxLength: 2 }),
    text,
  );
  const keyed = ([tenant, user, name, digests, question]: [
    string | undefined,
    string | undefined,
    string,
    string[],
    string,
  ]) => cacheKey({ tenant, user }, { name, digests }, question).digest;
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      expect(keyed(one) === keyed(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
    { numRuns: 2000 },
  );
});
