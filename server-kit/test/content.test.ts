import type { StreamEvent } from '@ziggie/llm-protocol';
import { describe, expect, test } from 'vitest';
import { type ContentBody, ContentRefused, type ServerKitOptions } from '../src/index.ts';
import { chunk, lastRecord, startRawOllama, streamEnd, streamHead } from './raw-ollama.ts';
import {
  closeLater,
  expectWellFormed,
  parseEvents,
  question,
  startBench,
  startWithFake,
} from './stream-harness.ts';
import { startSockets } from './ws/socket-bench.ts';

type Message = { content?: string; thinking?: string; tool_calls?: unknown[] };

/** A model server that writes these messages, one record each. */
async function writing(messages: readonly Message[]) {
  const raw = await startRawOllama(({ socket, path }) => {
    const records = messages.map((message) => {
      const body = { model: 'raw:latest', done: false };
      const { content = '', ...more } = message;
      return path === '/api/chat'
        ? { ...body, message: { role: 'assistant', content, ...more } }
        : { ...body, response: content, ...more };
    });
    const last =
      path === '/api/chat'
        ? lastRecord
        : `${JSON.stringify({ model: 'raw:latest', response: '', done: true, done_reason: 'stop', eval_count: 2 })}\n`;
    socket.write(streamHead);
    socket.write(
      Buffer.concat([
        ...records.map((one) => chunk(`${JSON.stringify(one)}\n`)),
        chunk(last),
        Buffer.from(streamEnd),
      ]),
    );
  });
  closeLater(() => raw.close());
  return raw;
}

const letters = (text: string, member: 'content' | 'thinking'): Message[] =>
  [...text].map((sign) => ({ [member]: sign }));

type Content = NonNullable<ServerKitOptions['content']>;
const redacting: Content = { redact: { output: ['email', 'phone', 'card', 'iban', 'key'] } };
const blocking: Content = { blockedPhrases: ['blue falcon'] };

/** All that a caller gets to read, in one framing. */
type Read = (
  content: Content,
  messages: readonly Message[],
) => Promise<{ wire: string; events: StreamEvent[]; code: string | undefined }>;

const codeOf = (events: readonly StreamEvent[]) => {
  // A failure before the first event is a problem, not an event.
  const last = events.at(-1) as { type?: string; code?: string } | undefined;
  return last?.code;
};

const framings: [string, Read][] = [
  [
    'NDJSON',
    async (content, messages) => {
      const raw = await writing(messages);
      const wire = await (await startBench(raw.url, { content }).ask('/chat', question('Hi', 'raw'))).text();
      const events = parseEvents(wire);
      return { wire, events, code: codeOf(events) };
    },
  ],
  [
    'SSE',
    async (content, messages) => {
      const raw = await writing(messages);
      const asked = startBench(raw.url, { content }).ask('/chat', question('Hi', 'raw'), {
        headers: { accept: 'text/event-stream' },
      });
      const wire = await (await asked).text();
      if (wire.startsWith('{')) return { wire, events: [], code: codeOf([JSON.parse(wire)]) };
      const events = [...wire.matchAll(/^data: (.*)$/gm)].map(
        ([, data]) => JSON.parse(data as string) as StreamEvent,
      );
      return { wire, events, code: codeOf(events) };
    },
  ],
  [
    'a WebSocket',
    async (content, messages) => {
      const raw = await writing(messages);
      const bench = await startSockets({ content }, raw.url);
      const client = await bench.open();
      client.send({ id: 'x', type: 'chat', request: question('Hi', 'raw'), credit: 1000 });
      await client.ended('x');
      return { wire: JSON.stringify(client.frames), events: client.of('x'), code: codeOf(client.of('x')) };
    },
  ],
  ...(['/chat', '/generate-complete'] as const).map((path): [string, Read] => [
    `complete JSON of ${path}`,
    async (content, messages) => {
      const raw = await writing(messages);
      const body =
        path === '/chat' ? { ...question('Hi', 'raw'), stream: false } : { model: 'raw', prompt: 'Hi' };
      const response = await startBench(raw.url, { content }).ask(path, body);
      const wire = await response.text();
      const record = JSON.parse(wire) as {
        code?: string;
        message?: Message;
        response?: string;
        thinking?: string;
      };
      const message = record.message ?? { content: record.response, thinking: record.thinking };
      const events: StreamEvent[] = [
        { type: 'thinking-delta', text: message.thinking ?? '', seq: 0 },
        { type: 'text-delta', text: message.content ?? '', seq: 1 },
      ];
      return { wire, events, code: record.code };
    },
  ]),
];

const joined = (events: readonly StreamEvent[], type: 'text-delta' | 'thinking-delta') =>
  events.map((event) => (event.type === type ? event.text : '')).join('');

describe.each(framings)('in %s', (name, readWhole) => {
  /** Without the random ids, which may have any digits. */
  const read: Read = async (...asked) => {
    const answer = await readWhole(...asked);
    return { ...answer, wire: answer.wire.replace(/(run|req)_[0-9a-f]+/g, '$1') };
  };

  test('a card number written sign by sign never leaves', async () => {
    const { wire, events } = await read(
      redacting,
      letters('Pay 4111 1111 1111 1111, or ask a@b.example.', 'content'),
    );
    expect(joined(events, 'text-delta')).toBe('Pay [card], or ask [email].');
    expect(wire).not.toContain('1111');
    if (!name.startsWith('complete')) expectWellFormed(events);
  });

  test('nor one in what the model thinks', async () => {
    const { wire, events } = await read(redacting, [
      ...letters('IBAN DE89 3704 0044 0532 0130 00', 'thinking'),
      { content: 'Done.' },
    ]);
    expect(joined(events, 'thinking-delta')).toBe('IBAN [iban]');
    expect(joined(events, 'text-delta')).toBe('Done.');
    expect(wire).not.toContain('3704');
  });

  test('nor one split between two pieces of thinking with text in between', async () => {
    const { events } = await read(redacting, [
      { thinking: '4111 1111 ' },
      { content: 'Hm. ' },
      { thinking: '1111 1111.' },
      { content: 'So.' },
    ]);
    expect(joined(events, 'thinking-delta').replace(/\s/g, '')).not.toContain('4111111111111111');
    expect(joined(events, 'text-delta')).toBe('Hm. So.');
  });

  test('what was kept of the thinking goes out before the answer that follows it', async () => {
    const { events } = await read(redacting, [{ thinking: 'I ask ada@' }, { content: 'Hello to you. ' }]);
    const types = events.map(({ type }) => type);
    expect(joined(events, 'thinking-delta')).toBe('I ask ada@');
    expect(types.lastIndexOf('thinking-delta')).toBeLessThan(types.indexOf('text-delta'));
  });

  test('nor one in the arguments of a tool call', async () => {
    const call = {
      function: {
        name: 'pay',
        arguments: { to: 'x@y.example', card: 4111111111111111, list: [{ '555-867-5309': true }] },
      },
    };
    const { wire } = await read(redacting, [{ content: '', tool_calls: [call] }]);
    if (name === 'complete JSON of /generate-complete') return;
    expect(wire).toContain('[card]');
    for (const part of ['x@y.example', '4111', '867']) expect(wire).not.toContain(part);
  });

  test.each(['content', 'thinking'] as const)(
    'a blocked phrase in %s ends the answer before it',
    async (member) => {
      const { wire, code } = await read(blocking, letters('It is Blue Falcon, I think.', member));
      expect(code).toBe('content_blocked');
      expect(wire).not.toMatch(/blue|"B|falcon/i);
    },
  );

  test('a blocked phrase in a tool call ends it too', async () => {
    if (name === 'complete JSON of /generate-complete') return;
    const call = { function: { name: 'say', arguments: { text: 'BLUE  falcon' } } };
    const { wire, code } = await read(blocking, [{ content: '', tool_calls: [call] }]);
    expect(code).toBe('content_blocked');
    expect(wire).not.toMatch(/falcon/i);
  });

  test('a hook of the host app sees whole what it looks for', async () => {
    const content: Content = {
      after: { windowCharacters: 12, rewrite: (text) => text.replaceAll('internal.example', 'it') },
    };
    const { events } = await read(
      content,
      letters('See internal.example for more of internal.example', 'content'),
    );
    // 16 signs do not fit into 12, so this one is found only where it is whole by chance.
    expect(joined(events, 'text-delta')).toContain('for more of');
    const wide = await read(
      { after: { windowCharacters: 16, rewrite: content.after?.rewrite as never } },
      letters('See internal.example for more of internal.example', 'content'),
    );
    expect(joined(wide.events, 'text-delta')).toBe('See it for more of it');
  });

  test('a hook that fails ends the answer, and its own words stay here', async () => {
    const content: Content = {
      after: {
        rewrite: (text) => {
          if (text.includes('c')) throw new Error('secret inner reason');
          return text;
        },
      },
    };
    const { wire, code } = await read(content, letters('abc', 'content'));
    expect(code).toBe('internal_error');
    expect(wire).not.toContain('secret');
  });
});

describe('what goes to the model', () => {
  const sent = async (content: Content, body: unknown, path = '/chat') => {
    const bench = await startWithFake({ content });
    const response = await bench.ask(path, body);
    await response.text();
    return { status: response.status, requests: bench.ollama.fake.report().requests, log: bench.log };
  };

  test('is redacted in every text, and nothing else is touched', async () => {
    const { requests } = await sent(
      { redact: { input: ['email', 'card'] } },
      {
        model: 'stand-in',
        messages: [
          { role: 'system', content: 'You help ada@example.org.' },
          {
            role: 'assistant',
            content: '',
            tool_calls: [{ function: { name: 'f', arguments: { to: 'bob@example.org' } } }],
          },
          { role: 'tool', content: 'card 4111111111111111', tool_name: 'f' },
          { role: 'user', content: 'Call +14155552671' },
        ],
      },
    );
    const text = JSON.stringify(requests.at(-1)?.body);
    expect(text).toContain('You help [email].');
    expect(text).toContain('card [card]');
    expect(text).toContain('+14155552671');
    expect(text).not.toMatch(/@example|4111/);
  });

  test('holds no blocked phrase: 400 and nothing is sent', async () => {
    for (const [path, body] of [
      ['/chat', question('about bLuE\u200b  Falcon')],
      ['/generate', { model: 'stand-in', prompt: 'x', system: 'blue falcon' }],
    ] as const) {
      const { status, requests, log } = await sent(blocking, body, path);
      expect(status).toBe(400);
      expect(requests.filter(({ path: one }) => one !== '/api/tags' && one !== '/api/ps')).toEqual([]);
      expect(log.at(-1)).toMatchObject({ code: 'content_blocked', reason: 'blocked phrase' });
    }
  });

  test('a hook may change it, and what it made is checked like any body', async () => {
    const change = (made: unknown): Content => ({ before: () => made as ContentBody });
    const { requests } = await sent(change(question('changed')), question('asked'));
    expect(JSON.stringify(requests.at(-1)?.body)).toContain('changed');
    const { status } = await sent(change({ ...question('changed'), pull: true }), question('asked'));
    expect(status).toBe(400);
  });

  test('a hook may refuse it in its own words, knowing who asks', async () => {
    const seen: unknown[] = [];
    const bench = await startWithFake({
      content: {
        before: (body, facts) => {
          seen.push(facts);
          (body as { model: string }).model = 'mine to change';
          throw new ContentRefused('Not about this, please.');
        },
      },
    });
    const response = await bench.ask('/chat', question());
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'content_blocked',
      detail: 'Not about this, please.',
    });
    expect(seen).toMatchObject([{ operation: 'chat', principal: { id: 'ada' }, model: 'stand-in' }]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('secret inner reason');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret inner reason'))],
  ])('a hook that %s lets nothing pass', async (_name, before) => {
    const bench = await startWithFake({ content: { before: before as never } });
    const response = await bench.ask('/chat', question());
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
    expect(JSON.stringify(bench.log)).not.toContain('secret');
    expect(bench.ollama.fake.report().requests).toEqual([]);
  });

  test('a hook that never answers is given up after 5 s', async () => {
    const { createTestClock } = await import('./stream-harness.ts');
    const clock = createTestClock();
    const bench = await startWithFake({ clock, content: { before: () => new Promise(() => {}) } });
    const asked = bench.ask('/chat', question());
    await expect.poll(() => clock.pending).toBeGreaterThan(0);
    await clock.advance(5000);
    expect((await asked).status).toBe(500);
  });
});
