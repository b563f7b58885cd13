import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bySchema } from './chat-shape.ts';
import { plainChat } from './plain-chat.ts';

/** What the schema says of a body: the checked body, or that it is none. */
function judged(value: unknown): unknown {
  try {
    return { body: bySchema(value) };
  } catch {
    return 'refused';
  }
}

const odd = fc.oneof(
  fc.constantFrom(undefined, null, true, false, 0, 1, '', 'user', 'tool', [], {}),
  fc.string({ maxLength: 4 }),
  fc.jsonValue({ maxDepth: 1 }),
);
const or = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });
const message = fc.record(
  {
    role: or(fc.constantFrom('system', 'user', 'assistant', 'tool')),
    content: or(fc.string()),
  },
  { requiredKeys: [] },
);
const more = fc.dictionary(
  fc.constantFrom('thinking', 'images', 'options', 'format', 'toString', 'constructor', 'x', 'keep_alive'),
  odd,
  { maxKeys: 1 },
);
const withMore = (usual: fc.Arbitrary<object>) =>
  fc.oneof(
    { weight: 8, arbitrary: usual },
    { weight: 1, arbitrary: fc.tuple(usual, more).map(([one, extra]) => ({ ...one, ...extra })) },
  );
const body = withMore(
  fc.record(
    {
      model: or(fc.oneof(fc.string({ minLength: 1 }), fc.string({ minLength: 255, maxLength: 258 }))),
      messages: or(fc.array(or(withMore(message)), { maxLength: 4 })),
      stream: or(fc.boolean()),
    },
    { requiredKeys: ['model', 'messages'] },
  ),
);

test('what is passed by hand is what the schema passes, member for member, on ten thousand bodies', () => {
  let passed = 0;
  fc.assert(
    fc.property(or(body), (value) => {
      // As it comes off the wire.
      const parsed: unknown = value === undefined ? undefined : JSON.parse(JSON.stringify(value));
      const plain = plainChat(parsed);
      if (plain === undefined) return;
      passed++;
      expect({ body: plain }).toStrictEqual(judged(parsed));
    }),
    { numRuns: 10_000 },
  );
  expect(passed).toBeGreaterThan(1000);
});

test.each([
  ['a member that nobody knows', { model: 'm', messages: [{ role: 'user', content: 'x' }], x: 1 }],
  ['a member too many of a message', { model: 'm', messages: [{ role: 'user', content: 'x', x: 1 }] }],
  ['a role of the prototype', { model: 'm', messages: [{ role: 'constructor', content: 'x' }] }],
  ['no message', { model: 'm', messages: [] }],
  ['an empty model', { model: '', messages: [{ role: 'user', content: 'x' }] }],
  ['a model too long', { model: 'm'.repeat(257), messages: [{ role: 'user', content: 'x' }] }],
  ['a stream that is no boolean', { model: 'm', stream: null, messages: [{ role: 'user', content: 'x' }] }],
  ['members of the prototype', Object.create({ model: 'm', messages: [{ role: 'user', content: 'x' }] })],
  ['a list', [{ role: 'user', content: 'x' }]],
  [
    'one message too many',
    { model: 'm', messages: Array.from({ length: 1001 }, () => ({ role: 'user', content: 'x' })) },
  ],
])('%s is left to the schema', (_, value) => {
  expect(plainChat(value)).toBeUndefined();
});
