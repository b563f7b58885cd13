import {
  isStreamEvent,
  isTerminal,
  ProtocolError,
  parseJson,
  type StreamEvent,
  type StreamEventBody,
} from '@ziggie/llm-protocol';
import type { AnswerDecoder } from './target.ts';

/**
 * Reads the events of the native wire. The numbers must count up from 0 without gaps, or something between here and the
 * server lost a record. Types that a newer server may send are passed over; the members that make up the answer are
 * checked.
 */
export class KitDecoder implements AnswerDecoder {
  #nextSeq = 0;
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }

  get lastSeq(): number {
    return this.#nextSeq - 1;
  }

  read(text: string, events: StreamEventBody[]): void {
    const words = this.#ended ? undefined : wordsOf(text, this.#nextSeq);
    if (words !== undefined) {
      this.#nextSeq++;
      events.push({ type: 'text-delta', text: words });
      return;
    }
    const record = parseJson(text);
    const { seq, type } = (record ?? {}) as { seq?: unknown; type?: unknown };
    if (typeof seq !== 'number' || typeof type !== 'string') throw malformed('a record is not an event');
    if (seq !== this.#nextSeq) throw malformed(`event ${this.#nextSeq} is missing, ${seq} came`);
    this.#nextSeq++;
    // `restart` is made by clients only.
    if (!isStreamEvent(record) || record.type === 'restart') return;
    const event = bodyOf(record);
    this.#ended = isTerminal(event);
    events.push(event);
  }
}

const deltaHead = '{"type":"text-delta","text":"';
const deltaTail = '","seq":';

/** The text of the commonest event, as the kit writes it, without parsing: nothing in it needs an escape. */
function wordsOf(record: string, seq: number): string | undefined {
  // `slice` and `===` compare memory at once; `startsWith` and `endsWith` go by character.
  if (record.slice(0, deltaHead.length) !== deltaHead) return undefined;
  const numberAt = startOfNumber(record, seq);
  const end = numberAt - deltaTail.length;
  if (end < deltaHead.length || record.slice(end, numberAt) !== deltaTail) return undefined;
  for (let at = deltaHead.length; at < end; at++) {
    const unit = record.charCodeAt(at);
    if (unit < 0x20 || unit === 0x22 || unit === 0x5c) return undefined;
  }
  return record.slice(deltaHead.length, end);
}

/** Where the number begins that the record ends with before its brace, if it is this one; else 0. */
function startOfNumber(record: string, number: number): number {
  let at = record.length - 1;
  if (record.charCodeAt(at) !== 0x7d) return 0;
  let left = number;
  do {
    at--;
    if (record.charCodeAt(at) !== 0x30 + (left % 10)) return 0;
    left = Math.floor(left / 10);
  } while (left > 0);
  return at;
}

function bodyOf(event: StreamEvent): StreamEventBody {
  switch (event.type) {
    case 'text-delta':
    case 'thinking-delta':
      check(typeof event.text === 'string', event);
      return { type: event.type, text: event.text };
    case 'tool-call':
      check(
        typeof event.id === 'string' && typeof event.name === 'string' && isObject(event.arguments),
        event,
      );
      break;
    case 'start':
      check(typeof event.upstreamModel === 'string', event);
      break;
    case 'usage':
      check(typeof event.inputTokens === 'number' && typeof event.outputTokens === 'number', event);
      break;
    case 'done':
      check(typeof event.finishReason === 'string' && isObject(event.timings), event);
      break;
    default:
  }
  const { seq: _, ...body } = event;
  return body;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function check(holds: boolean, event: StreamEvent): void {
  if (!holds) throw malformed(`a ${event.type} event lacks a member or has it of another type`);
}

function malformed(found: string): ProtocolError {
  return new ProtocolError('malformed_record', `Reading a stream of the kit: ${found}.`);
}
