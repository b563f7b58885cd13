import type { ErrorCode } from '@ziggie/llm-protocol';
import type { ServerKitOptions } from '../../src/index.ts';

/** What a caller of the kit must see of a fault. */
export interface Expected {
  /** Absent: a whole answer. */
  code?: ErrorCode | undefined;
  /** HTTP status; 200 when the answer had begun, or nothing had come for half a second. */
  status: number;
  /** Text that is passed on, where it is not the fault's own; `*` for any. */
  text?: string | undefined;
  timeouts?: ServerKitOptions['timeouts'];
  /** Where the variants differ. */
  except?: Readonly<Record<string, Expected>> | undefined;
}

const whole: Expected = { status: 200 };
const refused = (status: number, code: ErrorCode): Expected => ({ status, code, text: '' });
const broken = (code: ErrorCode): Expected => ({ status: 200, code });
const late: Expected = { ...broken('first_token_timeout'), text: '' };
const bad = refused(502, 'upstream_error');
const cutOff = broken('truncated');
const nothingCame = refused(502, 'truncated');
const garbled = broken('malformed_record');
const day = 86_400_000;
/** Real work of both sides, which the clock that they share does not wait for. */
const work: ServerKitOptions['timeouts'] = { firstTokenMs: day, idleMs: day };

/** By number; keys of `except` are variants. */
export const expected: Readonly<Record<string, Expected>> = {
  F001: refused(502, 'upstream_unreachable'),
  F002: refused(502, 'upstream_unreachable'),
  F003: refused(502, 'upstream_unreachable'),
  F005: late,
  F006: bad,
  F007: bad,
  F012: late,
  F013: late,
  F014: bad,
  F015: bad,
  F016: bad,
  F017: { ...whole, text: 'ok' },
  F018: { ...bad, except: { '504': refused(504, 'first_token_timeout') } },
  F019: refused(502, 'runner_crashed'),
  F020: refused(503, 'server_busy'),
  F021: refused(503, 'server_busy'),
  F022: refused(503, 'server_busy'),
  F023: bad,
  F024: refused(404, 'model_not_found'),
  F025: bad,
  F026: bad,
  F027: bad,
  F028: refused(502, 'malformed_record'),
  F029: { ...whole, text: 'The answer is 42.' },
  F030: nothingCame,
  F031: bad,
  F032: nothingCame,
  F033: nothingCame,
  F034: cutOff,
  F035: cutOff,
  F036: cutOff,
  F037: cutOff,
  F038: whole,
  F039: { ...whole, except: { lone: { ...whole, text: 'The answer is\ud83e' } } },
  F040: whole,
  F041: whole,
  F042: broken('idle_timeout'),
  F043: { ...broken('idle_timeout'), except: { 'before-text': late } },
  F044: { ...whole, timeouts: work },
  F045: cutOff,
  // The kit asks for no compression: a body that is compressed all the same is no answer.
  F046: refused(502, 'malformed_record'),
  F047: refused(502, 'malformed_record'),
  F048: garbled,
  F049: { ...refused(502, 'response_too_large'), timeouts: work },
  // Its 10 MiB are below our 16 MiB for a record: it is one that never ends.
  F050: { ...nothingCame, timeouts: work },
  // Ended by the `num_predict` that the kit asks with.
  F051: { ...whole, text: '*', timeouts: work },
  F052: whole,
  F053: whole,
  F054: { ...broken('out_of_memory'), except: { own: broken('runner_crashed') } },
  F055: whole,
  F056: { ...whole, except: { 'not-a-number': garbled } },
  F057: refused(502, 'malformed_record'),
  // Ollama's index means nothing.
  F058: { ...whole, text: '', except: { 'no-name': refused(502, 'malformed_record') } },
  F059: { ...garbled, except: { proto: whole, 'huge-number': whole } },
  F060: whole,
  F061: { ...whole, except: { short: nothingCame } },
  F062: { ...whole, except: { cut: cutOff } },
  F063: whole,
  F064: garbled,
  // To a chat it is text; whoever asks for a format checks it.
  F065: { ...whole, text: '*' },
  F066: cutOff,
  F067: { ...whole, text: 'Loaded.' },
};

/** What holds for one way to play a fault. */
export function expectedOf(id: string, variant: string): Expected | undefined {
  const all = expected[id];
  return all && { timeouts: all.timeouts, ...(all.except?.[variant] ?? all) };
}
