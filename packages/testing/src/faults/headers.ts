import type { Script } from '../script/step-types.ts';
import { error, frame, replay, say, shape, stall, wire } from '../script/steps.ts';
import type { FaultEntry } from './fault-types.ts';

const LOGIN_PAGE = '<!doctype html><html><body><h1>Sign in</h1></body></html>';
const BAD_GATEWAY =
  '<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>';
const html = { 'content-type': 'text/html' };
const HTTP_200 = 'HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n';

const status = (code: number): Script => [replay('', { status: code })];
const retryAfter = (value: string): Script => [
  error('overloaded', { status: 503, headers: { 'retry-after': value } }),
];

/** From the request to the end of the headers. */
export const headerFaults: Readonly<Record<string, FaultEntry>> = {
  F012: {
    what: 'the request was read and no headers come',
    side: 'upstream',
    variants: { stall: () => [stall()] },
  },
  F013: {
    what: 'the headers come one byte a second',
    side: 'upstream',
    socketOnly: true,
    variants: {
      drip: () => [
        wire(`${HTTP_200}X-Padding: ${'a'.repeat(600)}\r\n\r\n`, { sliceBytes: 1, everyMs: 1000 }),
      ],
    },
  },
  F014: {
    what: 'more headers than a client takes',
    side: 'upstream',
    socketOnly: true,
    variants: {
      size: () => [shape({ headers: { 'x-padding': 'a'.repeat(70_000) } }), say('ok')],
      count: () => [
        shape({
          headers: Object.fromEntries(
            Array.from({ length: 3000 }, (_, at) => [`x-padding-${at}`, '1234567890']),
          ),
        }),
        say('ok'),
      ],
    },
  },
  F015: {
    what: 'a status line or a header that is not HTTP',
    side: 'upstream',
    socketOnly: true,
    variants: {
      'status-line': () => [wire('HTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')],
      'status-code': () => [wire('HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n')],
      'header-name': () => [wire('HTTP/1.1 200 OK\r\nBad Header: 1\r\nContent-Length: 0\r\n\r\n')],
      'header-value': () => [wire('HTTP/1.1 200 OK\r\nX-Null: a\0b\r\nContent-Length: 0\r\n\r\n')],
      'no-http': () => [wire('220 mail.example ESMTP\r\n')],
    },
  },
  F016: {
    what: 'two lengths that contradict each other',
    side: 'upstream',
    socketOnly: true,
    variants: {
      both: () => [
        wire(`${HTTP_200}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
      ],
      'two-lengths': () => [wire(`${HTTP_200}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}\n`)],
    },
  },
  F017: {
    what: 'ten thousand interim answers before the real one',
    side: 'upstream',
    socketOnly: true,
    variants: {
      flood: () => [shape({ before: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(10_000) }), say('ok')],
    },
  },
  F018: {
    what: 'a gateway in front answers 502 with a page',
    side: 'upstream',
    variants: {
      '502': () => [replay(BAD_GATEWAY, { status: 502, headers: html })],
      '504': () => [replay(BAD_GATEWAY, { status: 504, headers: html })],
    },
  },
  F019: {
    what: 'a JSON error with status 500',
    side: 'upstream',
    variants: { '500': () => [error('model runner has unexpectedly stopped')] },
  },
  F020: {
    what: 'busy, with a time to come back',
    side: 'upstream',
    variants: { seconds: () => retryAfter('2') },
  },
  F021: {
    what: 'busy, with a time that cannot be used',
    side: 'upstream',
    variants: {
      huge: () => retryAfter('99999999'),
      negative: () => retryAfter('-5'),
      past: () => retryAfter('Wed, 21 Oct 2015 07:28:00 GMT'),
      text: () => retryAfter('soon'),
    },
  },
  F022: {
    what: 'the upstream limits its callers',
    side: 'upstream',
    variants: {
      '429': () => [error('Rate limit reached', { status: 429, headers: { 'retry-after': '1' } })],
    },
  },
  F023: {
    what: 'the upstream does not accept the credential',
    side: 'upstream',
    variants: {
      '401': () => [error('unauthorized', { status: 401 })],
      '403': () => [error('forbidden', { status: 403 })],
    },
  },
  F024: {
    what: 'the model is not there',
    side: 'upstream',
    variants: { '404': () => [error("model 'nope' not found", { status: 404 })] },
  },
  F025: {
    what: 'the caller is sent to another host',
    side: 'upstream',
    variants: {
      '302': () => [replay('', { status: 302, headers: { location: 'http://169.254.169.254/' } })],
      '307': () => [replay('', { status: 307, headers: { location: 'http://169.254.169.254/' } })],
    },
  },
  F026: {
    what: 'an answer that has no body by its status',
    side: 'upstream',
    variants: { '204': () => status(204), '205': () => status(205), '304': () => status(304) },
  },
  F027: {
    what: 'status 200 with an error inside',
    side: 'upstream',
    variants: {
      json: () => [
        replay('{"error":"the model is on fire"}', { headers: { 'content-type': 'application/json' } }),
      ],
      'first-record': () => [
        frame({
          ollama: '{"error":"the model is on fire"}',
          openai:
            '{"error":{"message":"the model is on fire","type":"server_error","param":null,"code":null}}',
          anthropic: '{"type":"error","error":{"type":"api_error","message":"the model is on fire"}}',
        }),
        { kind: 'cut', how: 'end' },
      ],
    },
  },
  F028: {
    what: 'status 200 with a login page',
    side: 'upstream',
    variants: { html: () => [replay(LOGIN_PAGE, { headers: html })] },
  },
  F029: {
    what: 'the right bytes under the wrong content type',
    side: 'upstream',
    variants: {
      'text/plain': () => [shape({ headers: { 'content-type': 'text/plain' } }), say('The answer is 42.')],
      none: () => [shape({ headers: { 'content-type': undefined } }), say('The answer is 42.')],
      octets: () => [
        shape({ headers: { 'content-type': 'application/octet-stream' } }),
        say('The answer is 42.'),
      ],
    },
  },
  F030: {
    what: 'status 200 with an empty body',
    side: 'upstream',
    variants: {
      stream: () => [{ kind: 'begin' }, { kind: 'cut', how: 'end' }],
      length: () => [replay('', { headers: { 'content-length': '0' } })],
    },
  },
  F031: {
    what: 'another protocol is switched to unasked',
    side: 'upstream',
    socketOnly: true,
    variants: {
      '101': () => [
        wire('HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\nhello'),
      ],
    },
  },
  F067: {
    what: 'the model was evicted and is loaded again: a minute of silence before the first byte',
    side: 'upstream',
    variants: { load: () => [stall(60_000), say('Loaded.')] },
  },
};
