import type { ErrorCode } from '@ziggie/llm-protocol';
import type { ClientOptions } from '../../src/index.ts';

/** How a fault must end for who asked. */
export interface Expected {
  /** Absent: a whole answer. */
  code?: ErrorCode | undefined;
  /** Requests that reach the server, or tries where none does. Default 1; 3 where nothing was shown and it may pass. */
  tries?: number | undefined;
  /** The whole text, where it is not the fault's own. */
  text?: string | undefined;
  /** Settings that the case names. */
  options?: Partial<ClientOptions> | undefined;
  /** Where the wires or the variants differ. */
  except?: Readonly<Record<string, Expected>> | undefined;
}

const three = (code: ErrorCode): Expected => ({ code, tries: 3 });
const once = (code: ErrorCode): Expected => ({ code, tries: 1 });
const whole: Expected = {};
const cutOff = once('truncated');
/** Real work of both sides, which the clock that they share does not wait for. */
const work: Partial<ClientOptions> = { timeouts: { firstTokenMs: Infinity, idleMs: Infinity } };

/** By number; keys of `except` are a variant, a wire, or both with a space between. The most exact one holds. */
export const expected: Readonly<Record<string, Expected>> = {
  F001: three('connect_failed'),
  F002: three('connect_failed'),
  F003: three('connect_failed'),
  F005: three('first_token_timeout'),
  F006: three('connect_failed'),
  F007: { text: '*' },
  F012: three('first_token_timeout'),
  F013: three('first_token_timeout'),
  F014: three('malformed_record'),
  F015: three('malformed_record'),
  F016: three('malformed_record'),
  F017: { text: 'ok' },
  F018: { ...three('upstream_error'), except: { '504': three('first_token_timeout') } },
  F019: three('runner_crashed'),
  F020: three('server_busy'),
  F021: { ...three('server_busy'), except: { huge: once('server_busy') } },
  F022: three('rate_limited'),
  F023: { ...once('unauthorized'), except: { '403': once('forbidden') } },
  F024: once('model_not_found'),
  F025: once('not_found'),
  F026: { ...three('truncated'), except: { '304': once('malformed_record') } },
  F027: three('upstream_error'),
  F028: once('malformed_record'),
  F029: { text: 'The answer is 42.' },
  F030: three('truncated'),
  F031: three('malformed_record'),
  F032: three('truncated'),
  F033: three('truncated'),
  F034: cutOff,
  F035: cutOff,
  F036: cutOff,
  F037: cutOff,
  F038: whole,
  F039: { except: { lone: { text: 'The answer is\ud83e' } } },
  F040: whole,
  F041: whole,
  F042: once('idle_timeout'),
  F043: { ...once('idle_timeout'), except: { 'before-text': { ...three('first_token_timeout'), text: '' } } },
  // A record at a byte a second takes minutes: the case has no limit but the total.
  F044: { options: { timeouts: { idleMs: Infinity } } },
  F045: cutOff,
  F046: cutOff,
  F047: { options: work, ...once('response_too_large'), except: { layers: three('malformed_record') } },
  F048: once('malformed_record'),
  F049: { options: work, ...once('response_too_large') },
  // Its 10 MiB are below our 16 MiB for a record: it is one that never ends.
  F050: { options: work, ...three('truncated') },
  F051: { options: work, ...once('response_too_large') },
  F052: whole,
  F053: whole,
  F054: {
    ...once('out_of_memory'),
    // Ollama's own /v1 says nothing at all: an empty chunk and the end.
    except: { 'own NDJSON': once('runner_crashed'), 'own SSE': once('truncated') },
  },
  F055: { except: { 'no-reason SSE': cutOff } },
  F056: { except: { 'not-a-number': once('malformed_record') } },
  F057: {
    ...three('malformed_record'),
    except: { 'finished SSE': three('model_output_invalid'), 'cut SSE': three('truncated') },
  },
  F058: {
    // Ollama's index means nothing, SSE needs it to put the fragments together.
    text: '',
    except: {
      'huge SSE': three('malformed_record'),
      'negative SSE': three('malformed_record'),
      'fraction SSE': three('malformed_record'),
      'text SSE': three('malformed_record'),
      'duplicate-id SSE': three('model_output_invalid'),
      'no-name NDJSON': three('malformed_record'),
      'no-name SSE': three('model_output_invalid'),
    },
  },
  F059: { ...once('malformed_record'), except: { proto: whole, 'huge-number': whole } },
  F060: whole,
  // The last record came: nothing after it can spoil the answer, not even a length that promised more.
  F061: { except: { short: { ...three('truncated'), text: '' } } },
  F062: { except: { cut: cutOff } },
  F063: whole,
  F064: once('malformed_record'),
  // To a chat it is text; the schema is for object().
  F065: { text: '*' },
  F066: cutOff,
  F067: { text: 'Loaded.' },
  F100: cutOff,
  F104: { text: 'At last.' },
  F117: { text: 'Later.' },
  F118: whole,
  F119: whole,
  F120: cutOff,
  F121: cutOff,
  F122: whole,
  F123: { ...once('truncated'), text: 'The', except: { SSE: { ...three('truncated'), text: '' } } },
  // Three tries are over within 1.5 s; the port is closed for three.
  F124: { text: '*', options: { retry: { maxAttempts: 6 } } },
};

/** What holds for one way to play a fault. */
export function expectedOf(id: string, variant: string, wire: string): Expected | undefined {
  const all = expected[id];
  const found = all?.except?.[`${variant} ${wire}`] ?? all?.except?.[variant] ?? all?.except?.[wire] ?? all;
  return found && { options: all?.options, ...found };
}
