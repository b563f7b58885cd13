import type { FramePayload, Script } from '../script/step-types.ts';
import {
  begin,
  cut,
  endless,
  error,
  finish,
  flood,
  frame,
  heartbeats,
  say,
  shape,
  slow,
  stall,
  torn,
} from '../script/steps.ts';
import type { FaultEntry } from './fault-types.ts';

/** What every cut answer has said in complete frames. */
const SAID = 'The answer is';
const said = say(SAID);
const CONTROL = 'a\0b\ufeffc\rd\u2028e\u2029f\u202eg\u001b[31mh';
const WIDE = 'Grüße aus 東京 🦙';

/** From the first byte of the body to its end. */
export const bodyFaults: Readonly<Record<string, FaultEntry>> = {
  F032: {
    what: 'reset after the headers, before the first token',
    side: 'upstream',
    variants: { reset: () => [begin(), cut('reset')] },
  },
  F033: {
    what: 'closed after the headers, before the first token',
    side: 'upstream',
    variants: { close: () => [begin(), cut('close')] },
  },
  F034: {
    what: 'reset in the middle of the answer',
    side: 'upstream',
    partial: SAID,
    variants: { reset: () => [said, cut('reset')], 'half-frame': () => [said, torn(' forty'), cut('reset')] },
  },
  F035: {
    what: 'closed in the middle of a record',
    side: 'upstream',
    partial: SAID,
    variants: { close: () => [said, torn(' forty'), cut('close')] },
  },
  F036: {
    what: 'a clean end without the last record',
    side: 'upstream',
    partial: SAID,
    variants: { end: () => [said, cut('end')] },
  },
  F037: {
    what: 'the end in the middle of a character',
    side: 'upstream',
    partial: SAID,
    variants: {
      end: () => [said, torn(' 東'), cut('end')],
      close: () => [said, torn(' 🦙'), cut('close')],
    },
  },
  F038: {
    what: 'characters split over two writes',
    side: 'upstream',
    partial: WIDE,
    variants: { bytes: () => [shape({ sliceBytes: 1 }), say(WIDE)] },
  },
  F039: {
    what: 'a surrogate pair split over two records',
    side: 'upstream',
    partial: '🦙',
    variants: {
      pair: () => [say('\ud83e'), say('\udd99')],
      lone: () => [said, say('\ud83e')],
    },
  },
  F040: {
    what: 'every byte in a write of its own; shape({ splitAtByte }) cuts at one place',
    side: 'upstream',
    partial: 'The answer is 42.',
    variants: { bytes: () => [shape({ sliceBytes: 1 }), say('The answer is 42.')] },
  },
  F041: {
    what: 'five hundred records in one write',
    side: 'upstream',
    partial: ' ha'.repeat(500),
    variants: { merge: () => [shape({ merge: true }), say(' ha'.repeat(500))] },
  },
  F042: {
    what: 'silence in the middle of the answer',
    side: 'upstream',
    partial: SAID,
    variants: { stall: () => [said, stall()] },
  },
  F043: {
    what: 'signs of life for ever, and nothing else',
    side: 'upstream',
    partial: SAID,
    variants: {
      'after-text': () => [said, heartbeats(10_000)],
      'before-text': () => [begin(), heartbeats(10_000)],
    },
  },
  F044: {
    what: 'one byte a second',
    side: 'upstream',
    partial: SAID,
    variants: {
      bytes: () => [shape({ sliceBytes: 1, sliceEveryMs: 1000 }), said],
      tokens: () => [slow(1), said],
    },
  },
  F045: {
    what: 'the upstream closes its half and still reads',
    side: 'upstream',
    partial: SAID,
    variants: { close: () => [said, cut('close')] },
  },
  F046: {
    what: 'a compressed body without its last twelve bytes',
    side: 'upstream',
    socketOnly: true,
    partial: SAID,
    variants: { gzip: () => [shape({ gzip: { cutBytes: 12 } }), said] },
  },
  F047: {
    what: 'a small body that grows without end when it is unpacked',
    side: 'upstream',
    socketOnly: true,
    variants: {
      bomb: () => [shape({ gzip: { bombBytes: 10 * 1024 ** 3 } }), said],
      layers: () => [shape({ gzip: { layers: 50 } }), said],
    },
  },
  F048: {
    what: 'something else between good records',
    side: 'upstream',
    partial: SAID,
    variants: {
      html: () => [said, frame('<html><body>502 Bad Gateway</body></html>'), say(' 42.')],
      json: () => [said, frame('{"model":"stand-in","mess'), say(' 42.')],
      scalar: () => [said, frame('42'), say(' 42.')],
      array: () => [said, frame('[]'), say(' 42.')],
    },
  },
  F049: {
    what: 'a line of 64 MiB that does not end',
    side: 'upstream',
    variants: { line: () => [begin(), flood(64 * 1024 ** 2), cut('end')] },
  },
  F050: {
    what: 'an event of many lines and no blank one; in NDJSON a line without an end',
    side: 'upstream',
    variants: {
      lines: () => [
        begin(),
        flood(10 * 1024 ** 2, { ollama: 'data', openai: 'data: a\n', anthropic: 'data: a\n' }),
        cut('end'),
      ],
    },
  },
  F051: {
    what: 'tokens without end',
    side: 'upstream',
    variants: { endless: () => [endless('and so on, ')] },
  },
  F052: {
    what: 'the last record twice',
    side: 'upstream',
    partial: SAID,
    variants: { twice: () => [said, finish(), finish()] },
  },
  F053: {
    what: 'more text after the last record',
    side: 'upstream',
    partial: SAID,
    variants: { text: () => [said, finish(), say(' and one more thing')] },
  },
  F054: {
    what: 'an error in the middle of the answer',
    side: 'upstream',
    partial: SAID,
    variants: {
      own: () => [said, error('an error was encountered while running the model: unexpected EOF')],
      text: () => [said, frame('{"error":"out of memory"}'), cut('end')],
      object: () => [said, frame('{"error":{"message":"out of memory","type":"server_error"}}'), cut('end')],
      event: () => [said, namedError, cut('end')],
    },
  },
  F055: {
    what: 'half of an end: the reason without the marker, the marker without the reason',
    side: 'upstream',
    partial: SAID,
    variants: {
      'no-marker': () => [said, finish({ marker: false })],
      'no-reason': () => [said, finish({ reason: null })],
    },
  },
  F060: {
    what: 'control characters in the text',
    side: 'upstream',
    partial: CONTROL,
    variants: { text: () => [frame(textFrame(CONTROL)), finish()] },
  },
  F061: {
    what: 'a Content-Length that does not fit the body',
    side: 'upstream',
    socketOnly: true,
    partial: SAID,
    variants: {
      long: () => [shape({ headers: { 'content-length': '100000' } }), said],
      short: () => [shape({ headers: { 'content-length': '40' } }), said],
    },
  },
  F062: {
    what: 'a chunked body without its last chunk',
    side: 'upstream',
    partial: SAID,
    variants: { complete: () => [said, finish(), cut('close')], cut: () => [said, cut('close')] },
  },
  F063: {
    what: 'trailers that look like headers',
    side: 'upstream',
    socketOnly: true,
    partial: SAID,
    variants: {
      trailers: () => [shape({ trailers: { 'x-late': '1', 'set-cookie': 'late=1', location: '/' } }), said],
    },
  },
  F066: {
    what: 'the process dies in the middle of the answer; the next request is answered',
    side: 'upstream',
    partial: SAID,
    variants: { reset: () => [said, cut('reset')] },
  },
};

/** An event that has a name; in NDJSON, which knows no names, the error by itself. */
const namedError: Script[number] = {
  kind: 'frame',
  payload: {
    ollama: '{"error":"out of memory"}',
    openai: '{"error":{"message":"out of memory"}}\nevent: error',
    anthropic: '{"type":"error","error":{"type":"overloaded_error","message":"out of memory"}}\nevent: error',
  },
};

/** A record with this text in the forms that JSON allows, not only in the one that servers write. */
export function textFrame(text: string): FramePayload {
  const json = JSON.stringify(text);
  return {
    ollama: `{"model":"stand-in","created_at":"2026-11-20T09:14:03Z","message":{"role":"assistant","content":${json}},"done":false}`,
    openai: `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795166043,"model":"stand-in","choices":[{"index":0,"delta":{"content":${json}},"finish_reason":null}]}`,
    anthropic: `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":${json}}}`,
  };
}
