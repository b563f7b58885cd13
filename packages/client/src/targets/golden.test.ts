import { createFakeOllama, createFakeOpenAI, say, think } from '@ziggie/llm-testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket as NodeSocket } from 'ws';
import { fixture, fixtures, hasFixtures } from '../../test/fixtures.ts';
import { eventsOf } from '../../test/in-chunks.ts';
import { question } from '../../test/samples.ts';
import { serveSockets } from '../../test/scripted-socket-server.ts';
import { kitEvents, wiresOf } from '../../test/wires.ts';
import { type ChatEvent, createClient } from '../index.ts';
import { webSocketTransport } from '../websocket.ts';

const names = fixtures(/^(?:chat|generate)-.*\.ndjson$/).filter(
  (name) => !/error|truncated|empty-200/.test(name),
);

/**
 * What an answer says, on whatever wire it came. Tool calls are told apart from the text (an OpenAI-compatible server gives
 * them in pieces, so they are whole only at the end), as are times, which only Ollama and the kit know.
 */
function told(events: readonly ChatEvent[]) {
  const said = events.flatMap((event) =>
    event.type === 'text-delta' || event.type === 'thinking-delta' ? [[event.type, event.text]] : [],
  );
  const last = events.at(-1);
  return {
    model: events.flatMap((event) => (event.type === 'start' ? [event.upstreamModel] : [])),
    said,
    calls: events.flatMap((event) => (event.type === 'tool-call' ? [[event.name, event.arguments]] : [])),
    usage: events.filter(({ type }) => type === 'usage'),
    finishReason: last?.type === 'done' ? last.finishReason : undefined,
  };
}

describe.skipIf(!hasFixtures)('the same transcript is the same answer on every wire', () => {
  test('there are at least 30 of them', () => {
    expect(names.length * 5).toBeGreaterThanOrEqual(30);
  });

  test.each(names)('%s', async (name) => {
    const transcript = fixture(name);
    const expected = told(await eventsOf([transcript]));
    expect(expected.finishReason).toBeDefined();
    expect(expected).toMatchSnapshot();
    for (const { name: wire, target, contentType, bytes } of wiresOf(transcript)) {
      const got = told(await eventsOf([bytes], target, contentType));
      // Without counts on the wire each reader guesses by its own pieces.
      if (expected.usage.some((usage) => usage.type === 'usage' && usage.source === 'estimated')) {
        expect({ ...got, usage: [] }, wire).toEqual({ ...expected, usage: [] });
      } else expect(got, wire).toEqual(expected);
    }
  });

  test.each(names)('%s over a WebSocket', async (name) => {
    const transcript = fixture(name);
    const records = transcript
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const server = await serveSockets({
      onFrame(side, frame) {
        if (frame.type !== 'chat') return;
        for (const [seq, event] of kitEvents(records).entries()) side.event(frame.id, seq, event);
      },
    });
    const transport = webSocketTransport({
      open: (url, protocols, headers) => new NodeSocket(url, [...protocols], { headers }),
    });
    onTestFinished(() => transport.close());
    const events: ChatEvent[] = [];
    for await (const event of createClient({ baseUrl: server.url, transport }).chat(question))
      events.push(event);
    expect(told(events)).toEqual(told(await eventsOf([transcript])));
  });

  test.each(names)('%s on every wire, cut byte by byte, is the same', async (name) => {
    for (const { name: wire, target, contentType, bytes } of wiresOf(fixture(name))) {
      const whole = await eventsOf([bytes], target, contentType);
      const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
      expect(await eventsOf(single, target, contentType), wire).toEqual(whole);
    }
  });
});

describe('the stand-ins tell the same on their wires', () => {
  const script = [think('Let me see.'), say('It is 42, of course.')] as const;
  const ask = async (target: 'ollama' | 'openai', fetch: typeof globalThis.fetch, model: string) => {
    const client = createClient({ baseUrl: 'http://stand-in', target, fetch });
    const { text, thinking, finishReason } = await client
      .chat({ ...question, model, think: target === 'ollama' ? true : undefined })
      .final();
    return { text, thinking, finishReason };
  };
  const expected = { text: 'It is 42, of course.', thinking: 'Let me see.', finishReason: 'stop' };

  test('Ollama', async () => {
    const fake = createFakeOllama({ tokensPerSecond: Infinity });
    fake.script([...script]);
    expect(await ask('ollama', fake.fetch, 'stand-in-thinking')).toEqual(expected);
  });

  test.each(['vllm', 'llama.cpp'] as const)('%s', async (profile) => {
    const fake = createFakeOpenAI({ profile, tokensPerSecond: Infinity });
    fake.script([...script]);
    expect(await ask('openai', fake.fetch, 'stand-in-thinking')).toEqual(expected);
  });
});
