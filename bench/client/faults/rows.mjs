/**
 * The 24 faults: what the server does, what the contender is told to do, and what counts as right. The same for all.
 * A judge gives `[right, what was seen]`.
 */
import {
  begin,
  connection,
  cut,
  endless,
  error,
  heartbeats,
  huge,
  replay,
  say,
  shape,
  slow,
  stall,
  torn,
} from '../../../packages/testing/dist/index.js';

const SAID = 'The answer is';
const WHOLE = 'The answer is 42.';
const WIDE = 'Grüße aus 東京 🦙';
const DIED = 'an error was encountered while running the model: unexpected EOF';
const PAGE = '<!doctype html><html><body><h1>Sign in</h1></body></html>';
const html = { 'content-type': 'text/html' };

/** A frame with this payload on each wire; `other` is for the wires that the stand-in does not speak. */
const frame = (payload) => ({ kind: 'frame', payload, other: payload.other });

/** A failure inside the stream, in each wire's own words. */
const failure = (wire) =>
  wire === 'ollama' || wire === 'openai' || wire === 'anthropic'
    ? frame({
        ollama: `{"error":"${DIED}"}`,
        openai: `{"error":{"message":"${DIED}","type":"server_error","code":500}}`,
        anthropic: `{"type":"error","error":{"type":"api_error","message":"${DIED}"}}\nevent: error`,
      })
    : { ...error(DIED), inStream: true };

const half = frame({
  ollama: '{"model":"stand-in","mess',
  openai: '{"id":"chatcmpl-1","cho',
  anthropic: '{"type":"content_block_delta","ind\nevent: content_block_delta',
  other: '{"type":"TEXT_MESS',
});

const named = ({ error: one }) => (one.status === undefined ? one.name : `${one.name} ${one.status}`);
const ms = (value) => `${Math.round(value)} ms`;
const noise = ({ logged }) => (logged.length > 0 ? `, prints ${logged.length}×` : '');
const ended = (outcome) =>
  outcome.limit ? 'hangs' : outcome.error ? named(outcome) : `quiet end after "${outcome.text}"`;

const anyError = (outcome) => [outcome.error !== undefined, ended(outcome)];
const typedError = (outcome) => [
  outcome.error !== undefined && !outcome.error.raw,
  `${ended(outcome)}${outcome.error?.raw ? ' (raw)' : ''}`,
];
const wholeText =
  (text = WHOLE) =>
  (outcome) => [
    !outcome.error && outcome.text === text && outcome.logged.length === 0,
    outcome.error ? named(outcome) : `${outcome.text === text ? 'ok' : `"${outcome.text}"`}${noise(outcome)}`,
  ];
const retried =
  (leastMs = 0) =>
  (outcome, seen) => [
    !outcome.error && outcome.text === WHOLE && outcome.ms >= leastMs,
    outcome.error
      ? `${seen.requests > 1 ? `${seen.requests}×, ` : ''}${named(outcome)}`
      : outcome.text === WHOLE
        ? `ok after ${ms(outcome.ms)}`
        : ended(outcome),
  ];
/** When the server saw the client go, after it went. */
const goneAfter = (outcome, seen) =>
  seen.left.length === 0 ? undefined : Math.max(0, seen.left[0] - outcome.leftAt);

/** Name, rule, what the server does (`script`, then `next` for all later requests), act, judge. */
export const rows = [
  {
    name: 'truncated: the body ends without a last record',
    rule: 'a failure',
    script: () => [say(SAID), cut('end')],
    judge: anyError,
  },
  {
    name: 'truncated: the body ends inside a record',
    rule: 'a failure',
    script: () => [say(SAID), torn(' forty'), cut('end')],
    judge: anyError,
  },
  {
    name: 'last record without its line end',
    rule: 'the whole text',
    script: (_, { raw, headers }) => [replay(raw.trimEnd(), { headers })],
    judge: wholeText(),
  },
  {
    name: 'error record in the middle (200)',
    rule: 'a failure of a class of the library',
    script: (wire) => [say(SAID), failure(wire), cut('end')],
    judge: typedError,
  },
  {
    name: 'error record before any content (200), then ok',
    rule: 'asked again, the whole text',
    script: (wire) => [begin(), failure(wire), cut('end')],
    next: () => [say(WHOLE)],
    judge: retried(),
  },
  {
    name: 'connection reset in the middle',
    rule: 'a failure of a class of the library',
    script: () => [say(SAID), stall(50), cut('reset')],
    judge: typedError,
  },
  {
    name: 'malformed record in the middle',
    rule: 'a failure of a class of the library',
    script: () => [say(SAID), half, say(' 42.')],
    judge: typedError,
  },
  {
    name: 'keep-alive lines between records',
    rule: 'the whole text, nothing printed',
    script: () => [say(SAID), heartbeats(50, 3), say(' 42.')],
    judge: wholeText(),
  },
  {
    name: 'CRLF line ends',
    rule: 'the whole text, nothing printed',
    script: (_, { raw, headers }) => [replay(raw.replaceAll('\n', '\r\n'), { headers })],
    judge: wholeText(),
  },
  {
    name: 'UTF-8 in pieces of 1 byte',
    rule: 'the whole text',
    script: () => [shape({ sliceBytes: 1 }), say(WIDE)],
    judge: wholeText(WIDE),
  },
  {
    name: '`break` after 2 pieces',
    rule: 'the server sees the client go within 1 s',
    act: 'leave',
    script: () => [slow(20), endless('and so on, ')],
    judge(outcome, seen) {
      const after = goneAfter(outcome, seen);
      if (outcome.limit) return [false, 'hangs'];
      return after === undefined ? [false, 'goes on'] : [after <= 1_000, `gone after ${ms(after)}`];
    },
  },
  {
    name: 'abort while the model is silent',
    rule: 'told as an abort (not a quiet end), and the server sees the client go, within 1 s',
    act: 'abort',
    script: () => [say(SAID), stall()],
    judge(outcome, seen) {
      const after = goneAfter(outcome, seen);
      const server = after === undefined ? 'goes on' : `gone after ${ms(after)}`;
      const told = outcome.hangs ? 'hangs' : ended(outcome);
      return [
        outcome.error !== undefined &&
          (outcome.error.isAbort || /abort/i.test(outcome.error.name)) &&
          after <= 1_000,
        `${told}; ${server}`,
      ];
    },
  },
  {
    name: 'silence in the middle, default settings',
    rule: 'a failure of a class of the library within 75 s',
    limitMs: 75_000,
    script: () => [say(SAID), stall()],
    judge: (outcome) =>
      outcome.limit
        ? [false, 'nothing in 75 s']
        : [typedError(outcome)[0], `${typedError(outcome)[1]} after ${Math.round(outcome.ms / 1000)} s`],
  },
  {
    name: '503 once, then ok',
    rule: 'asked again, the whole text',
    script: () => [
      error('server busy, please try again.  maximum pending requests exceeded', { status: 503 }),
    ],
    next: () => [say(WHOLE)],
    judge: retried(),
  },
  {
    name: '503 always',
    rule: 'asked again a few times (2 to 10), then a failure of a class of the library',
    times: Infinity,
    script: () => [
      error('server busy, please try again.  maximum pending requests exceeded', { status: 503 }),
    ],
    judge: (outcome, { requests }) => [
      typedError(outcome)[0] && requests >= 2 && requests <= 10,
      `${requests}×, ${typedError(outcome)[1]}`,
    ],
  },
  {
    name: '429 with `Retry-After: 1`, then ok',
    rule: 'asked again no sooner than 1 s later, the whole text',
    script: () => [error('slow down', { status: 429, headers: { 'retry-after': '1' } })],
    next: () => [say(WHOLE)],
    judge: retried(990),
  },
  {
    name: 'nobody listens for 100 ms',
    rule: 'asked again, the whole text',
    script: () => [connection('refuse', 100)],
    next: () => [say(WHOLE)],
    judge: retried(),
  },
  {
    name: '404, unknown model',
    rule: 'a failure of a class of the library with the status, asked once',
    model: 'not-there',
    script: () => [say('never')],
    judge: (outcome, { requests }) => [
      typedError(outcome)[0] && outcome.error.status === 404 && requests === 1,
      `${requests}×, ${typedError(outcome)[1]}`,
    ],
  },
  {
    name: '502 with a page of a gateway',
    rule: 'a failure of a class of the library',
    times: Infinity,
    script: () => [replay('<html><title>502 Bad Gateway</title></html>', { status: 502, headers: html })],
    judge: (outcome, { requests }) => [typedError(outcome)[0], `${requests}×, ${typedError(outcome)[1]}`],
  },
  {
    name: '200 with a sign-in page',
    rule: 'a failure',
    times: Infinity,
    script: () => [replay(PAGE, { headers: html })],
    judge: anyError,
  },
  ...[
    { name: 'one record of 0.5 and 2 MiB in pieces of 64 B', small: 0.5, large: 2, sliceBytes: 64 },
    { name: 'one record of 2 and 8 MiB in pieces of 1,400 B', small: 2, large: 8, sliceBytes: 1_400 },
  ].map(({ name, small, large, sliceBytes }) => ({
    name,
    rule: 'CPU of the thread at most ×8 for ×4 bytes: what is linear shows about ×4, what is quadratic ×16. From memory: sockets merge small pieces',
    act: 'cpu',
    limitMs: 60_000,
    sizes: { small, large },
    sliceBytes,
    script: (mebibytes) => [huge(mebibytes * 2 ** 20)],
    judge(outcome) {
      if (outcome.limit) return [false, 'over 60 s'];
      if (outcome.error) return [false, named(outcome)];
      if (outcome.largeLength !== large * 2 ** 20) return [false, `read ${outcome.largeLength} characters`];
      const ratio = outcome.large / outcome.small;
      return [ratio <= 8, `${Math.round(outcome.small)} / ${ms(outcome.large)} (×${ratio.toFixed(1)})`];
    },
  })),
  {
    name: 'abort of one of two streams of one client',
    rule: 'the other one goes on to its end',
    act: 'two',
    times: Infinity,
    script: () => [say(SAID), stall(1_500), say(' 42.')],
    judge: (outcome) => [
      !outcome.error && outcome.text === WHOLE,
      outcome.error
        ? `the other ends too: ${named(outcome)}`
        : outcome.text === WHOLE
          ? 'ok'
          : ended(outcome),
    ],
  },
  {
    name: 'a reader that takes 2 records of 4 KiB and rests',
    rule: 'at most 768 KiB are read from the socket: 256 KiB, and what the buffers of the platform hold by themselves',
    act: 'slow',
    script: () => [begin(), ...Array.from({ length: 8_192 }, () => huge(4_096))],
    judge(outcome) {
      if (outcome.limit || outcome.error) return [false, ended(outcome)];
      const kibibytes = Math.round((outcome.readBytes - outcome.taken) / 1024);
      return [
        kibibytes <= 768,
        kibibytes > 8_192 ? `all it can get (${kibibytes} KiB)` : `${kibibytes} KiB ahead`,
      ];
    },
  },
];
