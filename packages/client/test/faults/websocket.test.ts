import { expect, onTestFinished, test } from 'vitest';
import { WebSocket as NodeSocket } from 'ws';
import { type ClientOptions, createClient, isZiggieError } from '../../src/index.ts';
import { type OpenWebSocket, webSocketTransport } from '../../src/websocket.ts';
import { createManualClock } from '../clock.ts';
import { done, question, start, text } from '../samples.ts';
import { type Frame, type ServerSide, serveSockets } from '../scripted-socket-server.ts';
import type { Expected } from './expected.ts';

const open: OpenWebSocket = (url, protocols, headers) => new NodeSocket(url, [...protocols], { headers });

/** Answers the question `id` as a faulty kit would. */
type Fault = (side: ServerSide, id: string | undefined) => void;

const SAID = 'The answer is';
const usage = { type: 'usage', inputTokens: 1, outputTokens: 2, source: 'upstream' };

/** Sends events from the first, numbered. */
const say =
  (...events: object[]): Fault =>
  (side, id) =>
    events.forEach((event, seq) => void side.event(id, seq, event));
const then =
  (first: Fault, next: (side: ServerSide, id: string | undefined) => unknown): Fault =>
  (side, id) => {
    first(side, id);
    next(side, id);
  };
const said = say(start, text(SAID));
const raw = (frame: string) => (side: ServerSide) => side.socket.send(frame);
const failure = { type: 'error', code: 'runner_crashed', message: 'It died.', status: 502, retryable: true };
const call = { type: 'tool-call', id: 'c', name: 'f', arguments: {} };

type Row = [id: string, what: string, fault: Fault, expected: Expected];
const once = (code: Expected['code'], shown = SAID): Expected => ({ code, text: shown });
const three = (code: Expected['code']): Expected => ({ code, tries: 3, text: '' });
const whole = (shown = SAID): Expected => ({ text: shown });

/** The rows of the list that exist where frames arrive whole, played by a scripted kit. */
const rows: Row[] = [
  ['F012', 'nothing comes', () => {}, three('first_token_timeout')],
  ['F032', 'reset before the first token', (side) => side.socket.terminate(), three('truncated')],
  ['F033', 'closed after start', then(say(start), (side) => side.socket.close()), three('truncated')],
  [
    'F034',
    'reset in the middle',
    then(said, (side) => setTimeout(() => side.socket.terminate(), 5)),
    once('truncated'),
  ],
  ['F036', 'closed cleanly without an end', then(said, (side) => side.socket.close(1000)), once('truncated')],
  ['F038', 'wide characters', say(start, text('Grüße aus 東京 🦙'), done), whole('Grüße aus 東京 🦙')],
  ['F039', 'a surrogate pair over two events', say(start, text('\ud83e'), text('\udd99'), done), whole('🦙')],
  [
    'F041',
    'five hundred events at once',
    say(start, ...Array.from({ length: 500 }, () => text('ha ')), done),
    whole('ha '.repeat(500)),
  ],
  ['F042', 'silence in the middle', said, once('idle_timeout')],
  [
    'F043',
    'signs of life for ever',
    then(said, (side) => setInterval(() => side.socket.send('{"type":"pong"}'), 1).unref()),
    once('idle_timeout'),
  ],
  ['F048', 'words between frames', then(said, raw('<html>')), once('malformed_record')],
  [
    'F048',
    'an event that is none',
    then(said, (side, id) => side.event(id, 2, { type: 'text-delta', text: 7 })),
    once('malformed_record'),
  ],
  [
    'F048',
    'a list',
    then(said, (side, id) => side.socket.send(`{"id":"${id}","event":[]}`)),
    once('malformed_record'),
  ],
  [
    'F049',
    'a frame of 20 MiB',
    then(said, (side, id) => side.event(id, 2, text('x'.repeat(20 * 2 ** 20)))),
    once('response_too_large'),
  ],
  ['F052', 'the end twice', say(start, text(SAID), usage, done, done), whole()],
  ['F053', 'text after the end', say(start, text(SAID), done, text(' not')), whole()],
  ['F054', 'an error in the middle', say(start, text(SAID), failure), once('runner_crashed')],
  ['F054', 'an error before the first token', say(start, failure), three('runner_crashed')],
  [
    'F055',
    'usage without an end',
    then(say(start, text(SAID), usage), (side) => side.socket.close(1000)),
    once('truncated'),
  ],
  [
    'F056',
    'counts that are none',
    say(start, text(SAID), { ...usage, inputTokens: '5' }, done),
    once('malformed_record'),
  ],
  [
    'F057',
    'a tool call without arguments',
    say(start, { ...call, arguments: undefined }, done),
    three('malformed_record'),
  ],
  [
    'F058',
    'a tool call without a name',
    say(start, { ...call, name: undefined }, done),
    three('malformed_record'),
  ],
  [
    'F059',
    '__proto__ in an event',
    then(said, (side, id) => {
      side.socket.send(
        `{"id":"${id}","event":{"type":"done","finishReason":"stop","timings":{},"seq":2,"__proto__":{"polluted":1}}}`,
      );
    }),
    whole(),
  ],
  [
    'F060',
    'control characters',
    say(start, text('a\0b\u2028c\u202ed\u001b[31m'), done),
    whole('a\0b\u2028c\u202ed\u001b[31m'),
  ],
  [
    'F064',
    'events of another answer',
    then(said, (side, id) => {
      side.event('other', 2, text(' elsewhere'));
      side.event(id, 2, done);
    }),
    whole(),
  ],
  [
    'F064',
    'an event is missing',
    then(said, (side, id) => side.event(id, 3, done)),
    once('malformed_record'),
  ],
  [
    'F067',
    'a minute of loading',
    (side, id) => {
      side.event(id, 0, start);
      side.event(id, 1, { type: 'loading', model: 'm', elapsedMs: 0, typicalMs: null });
      setTimeout(() => {
        side.event(id, 2, text(SAID));
        side.event(id, 3, done);
      }, 60);
    },
    whole(),
  ],
  ['F111', 'close 1001 in the middle', then(said, (side) => side.socket.close(1001)), once('truncated')],
  ['F111', 'close 1011 in the middle', then(said, (side) => side.socket.close(1011)), once('truncated')],
  ['F111', 'close 1012 before the first token', (side) => side.socket.close(1012), three('truncated')],
  ['F112', 'a socket that is dead', said, once('connect_failed')],
  [
    'F120',
    'silence, then closed',
    then(said, (side) => setTimeout(() => side.socket.close(), 20)),
    once('truncated'),
  ],
];

async function play(fault: Fault, isAlive: boolean) {
  const clock = createManualClock();
  const asked: (string | undefined)[] = [];
  const server = await serveSockets({
    onFrame(side: ServerSide, frame: Frame) {
      if (frame.type === 'ping' && isAlive) side.socket.send('{"type":"pong"}');
      if (frame.type !== 'chat') return;
      asked.push(frame.id);
      fault(side, frame.id);
    },
  });
  const transport = webSocketTransport({ open });
  onTestFinished(() => transport.close());
  // A dead socket is found after as long as silence is borne: where it is looked for, that is longer.
  const timeouts = isAlive ? {} : { idleMs: 120_000 };
  const options: Partial<ClientOptions> = { clock, timeouts, random: () => 0.5 };
  const client = createClient({ baseUrl: server.url, transport, ...options });
  const noise: unknown[] = [];
  const hear = (reason: unknown): void => void noise.push(reason);
  process.on('unhandledRejection', hear);
  let shown = '';
  let over = false;
  const stream = client.chat(question);
  const reading = (async () => {
    for await (const event of stream) if (event.type === 'text-delta') shown += event.text;
    return stream.final();
  })().finally(() => {
    over = true;
  });
  reading.catch(() => {});
  for (let stepMs = 1; !over; stepMs = Math.min(stepMs * 1.5, 2_000)) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    await clock.advance(stepMs);
  }
  process.off('unhandledRejection', hear);
  return { shown, noise, asked: asked.length, end: await reading.catch((error: unknown) => error) };
}

test.each(rows)('%s over a WebSocket: %s', async (row, __, fault, { code, tries = 1, text: wanted }) => {
  const { shown, noise, asked, end } = await play(fault, row !== 'F112');
  expect(noise).toEqual([]);
  expect(shown).toBe(wanted);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  if (code === undefined) {
    expect(end).toMatchObject({ text: wanted, finishReason: 'stop' });
    return;
  }
  if (!isZiggieError(end)) throw end;
  expect(end).toMatchObject({ code, partial: { text: wanted, toolCalls: [] }, phase: expect.any(String) });
  expect(end.attempts).toHaveLength(tries);
  expect(asked).toBe(tries);
});
