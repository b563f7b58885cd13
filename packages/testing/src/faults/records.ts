import type { FramePayload, Script } from '../script/step-types.ts';
import { begin, cut, finish, frame, say, shape, stall } from '../script/steps.ts';
import type { FaultEntry } from './fault-types.ts';

const SAID = 'The answer is';
const said = say(SAID);

/** Records that are well-formed and say what cannot be, and the shapes of a bad network. */
export const recordFaults: Readonly<Record<string, FaultEntry>> = {
  F056: {
    what: 'counts of tokens that are none',
    side: 'upstream',
    partial: SAID,
    variants: {
      missing: () => counted(undefined),
      negative: () => counted('-5'),
      'not-a-number': () => counted('NaN'),
      huge: () => counted('1e300'),
      text: () => counted('"many"'),
      fraction: () => counted('1.5'),
      null: () => counted('null'),
      object: () => counted('{}'),
    },
  },
  F057: {
    what: 'the arguments of a tool call break off',
    side: 'upstream',
    variants: {
      finished: () => [frame(brokenCall), finish({ reason: 'tool_calls' })],
      cut: () => [frame(brokenCall), cut('end')],
    },
  },
  F058: {
    what: 'tool calls with places and names that cannot be',
    side: 'upstream',
    variants: {
      huge: () => indexed('1000000000'),
      negative: () => indexed('-1'),
      gap: () => indexed('7'),
      fraction: () => indexed('0.5'),
      text: () => indexed('"0"'),
      'duplicate-id': () => [
        frame(callFrame('0', '{"city":"Oslo"}')),
        frame(callFrame('1', '{"city":"Rome"}')),
        finish(),
      ],
      'no-name': () => [
        frame({
          ollama: `${head}"message":{"role":"assistant","content":"","tool_calls":[{"function":{"arguments":{}}}]},"done":false}`,
          openai: chunk('{"tool_calls":[{"index":0,"id":"call_1","function":{"arguments":"{}"}}]}'),
        }),
        finish(),
      ],
    },
  },
  F059: {
    what: 'lines at the edges of JSON; frame() plays any other',
    side: 'upstream',
    partial: SAID,
    variants: {
      proto: () => [
        said,
        frame('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
      ],
      deep: () => [said, frame(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
      'huge-number': () => [said, frame('{"done":false,"n":1e999999}')],
      'trailing-comma': () => [said, frame('{"done":false,}')],
      'two-values': () => [said, frame('{"done":false}{"done":false}')],
      null: () => [said, frame('null')],
    },
  },
  F064: {
    what: 'records of another answer in this one',
    side: 'upstream',
    partial: SAID,
    variants: {
      id: () => [
        said,
        frame({
          ollama: `{"model":"another-model","created_at":"2026-11-20T09:14:03Z","message":{"role":"assistant","content":" elsewhere"},"done":false}`,
          openai: `{"id":"chatcmpl-another","object":"chat.completion.chunk","created":1,"model":"another-model","choices":[{"index":0,"delta":{"content":" elsewhere"},"finish_reason":null}]}`,
        }),
      ],
    },
  },
  F065: {
    what: 'the answer is not what the schema asks for',
    side: 'upstream',
    variants: {
      shape: () => [say('{"unexpected":[1,2,3]}')],
      prose: () => [say('Sure! Here is the JSON you asked for.')],
      fenced: () => [say('```json\n{"unexpected":true}\n```')],
      broken: () => [say('{"answer": "forty')],
    },
  },
  F118: {
    what: 'a kilobyte a second',
    side: 'upstream',
    partial: 'The answer is 42.',
    variants: { bandwidth: () => [shape({ sliceBytes: 100, sliceEveryMs: 100 }), say('The answer is 42.')] },
  },
  F119: {
    what: 'ten seconds between the last record and the end of the connection',
    side: 'upstream',
    partial: SAID,
    variants: { wait: () => [said, finish(), stall(10_000)] },
  },
  F120: {
    what: 'two seconds of silence, then closed',
    side: 'upstream',
    partial: SAID,
    variants: { close: () => [said, stall(2000), cut('close')] },
  },
  F121: {
    what: 'reset after half a second',
    side: 'upstream',
    partial: SAID,
    variants: { reset: () => [said, stall(500), cut('reset')] },
  },
  F122: {
    what: 'every byte by itself',
    side: 'upstream',
    partial: 'The answer is 42.',
    variants: { bytes: () => [shape({ sliceBytes: 1 }), say('The answer is 42.')] },
  },
  F123: {
    what: 'the body ends after 200 bytes; shape({ limitBytes }) ends it elsewhere',
    side: 'upstream',
    variants: {
      close: () => [shape({ limitBytes: 200, limitCut: 'close' }), say('The answer is 42.')],
      reset: () => [shape({ limitBytes: 200, limitCut: 'reset' }), say('The answer is 42.')],
      end: () => [shape({ limitBytes: 200, limitCut: 'end' }), say('The answer is 42.')],
    },
  },
};

const head = '{"model":"stand-in","created_at":"2026-11-20T09:14:03Z",';
const chunk = (delta: string) =>
  `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795166043,"model":"stand-in","choices":[{"index":0,"delta":${delta},"finish_reason":null}]}`;

/** An end whose counts are this JSON; without one they are missing. */
function counted(count: string | undefined): Script {
  const native = count === undefined ? '' : `,"prompt_eval_count":${count},"eval_count":${count}`;
  const usage =
    count === undefined
      ? 'null'
      : `{"prompt_tokens":${count},"completion_tokens":${count},"total_tokens":${count}}`;
  return [
    said,
    frame({
      ollama: `${head}"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"${native}}`,
      openai: `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795166043,"model":"stand-in","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":${usage}}`,
    }),
    frame({ openai: '[DONE]' }),
    begin(),
    cut('end'),
  ];
}

const brokenCall: FramePayload = {
  // A native call is one JSON text: what breaks its arguments off breaks the record.
  ollama: `${head}"message":{"role":"assistant","content":"","tool_calls":[{"id":"call_1","function":{"index":0,"name":"get_weather","arguments":{"city":"Par`,
  openai: chunk(
    '{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\\"city\\":\\"Par"}}]}',
  ),
};

function callFrame(index: string, args: string): FramePayload {
  return {
    ollama: `${head}"message":{"role":"assistant","content":"","tool_calls":[{"id":"call_1","function":{"index":${index},"name":"get_weather","arguments":${args}}}]},"done":false}`,
    openai: chunk(
      `{"tool_calls":[{"index":${index},"id":"call_1","type":"function","function":{"name":"get_weather","arguments":${JSON.stringify(args)}}}]}`,
    ),
  };
}

function indexed(index: string): Script {
  return [frame(callFrame(index, '{"city":"Oslo"}')), finish({ reason: 'tool_calls' })];
}
