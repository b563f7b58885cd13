import type { FinishReason, StreamEventBody, UsageEvent } from '@ziggie/llm-protocol';
import * as z from 'zod';
import { readKept } from './read-kept.ts';

/** Characters of one event of an answer that is played back. */
const pieceLength = 512;

const count = z.number().int().min(0);
const keptSchema = z.strictObject({
  /** The key it was put under: an answer that turns up elsewhere is nobody's. */
  key: z.string(),
  events: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.enum(['text-delta', 'thinking-delta']), text: z.string() }),
        z.strictObject({
          type: z.literal('tool-call'),
          id: z.string(),
          name: z.string(),
          arguments: z.record(z.string(), z.unknown()),
        }),
      ]),
    )
    .max(100_000),
  /** Absent where nobody counted. */
  usage: z
    .strictObject({
      inputTokens: count,
      cachedInputTokens: count.optional(),
      outputTokens: count,
      source: z.enum(['upstream', 'estimated']),
    })
    .optional(),
  finishReason: z.enum(['stop', 'tool_calls']),
});

/** An answer that can be given again: whole, and ended by the model itself. */
export interface KeptAnswer {
  events: readonly StreamEventBody[];
  usage: Omit<UsageEvent, 'type'> | undefined;
  finishReason: FinishReason;
}

/**
 * The text under which an answer is kept; `undefined` for one that must not be: it broke off, or its length ended it.
 */
export function keptText(key: string, events: readonly StreamEventBody[]): string | undefined {
  const out: StreamEventBody[] = [];
  let usage: Omit<UsageEvent, 'type'> | undefined;
  let finishReason: FinishReason | undefined;
  for (const event of events) {
    switch (event.type) {
      case 'text-delta':
      case 'thinking-delta': {
        const last = out.at(-1);
        if (last?.type === event.type) last.text += event.text;
        else out.push({ type: event.type, text: event.text });
        break;
      }
      case 'tool-call':
        out.push({ type: 'tool-call', id: event.id, name: event.name, arguments: event.arguments });
        break;
      case 'usage': {
        const { inputTokens, cachedInputTokens, outputTokens, source } = event;
        usage = { inputTokens, outputTokens, source };
        if (cachedInputTokens !== undefined) usage.cachedInputTokens = cachedInputTokens;
        break;
      }
      case 'done':
        finishReason = event.finishReason;
        break;
      case 'error':
      case 'restart':
        return undefined;
    }
  }
  if (finishReason !== 'stop' && finishReason !== 'tool_calls') return undefined;
  return JSON.stringify({ key, events: out, usage, finishReason });
}

/** What a text says; `undefined` for one that is broken, of an older version or of another key. */
export function keptAnswerOf(key: string, text: string): KeptAnswer | undefined {
  const kept = readKept(keptSchema, key, text);
  if (kept === undefined) return undefined;
  const { events, usage, finishReason } = kept;
  return { events: events.flatMap(inPieces), usage, finishReason };
}

/** A long text as several events, so that a reader who takes little gets little. No character is cut in two. */
function inPieces(event: z.infer<typeof keptSchema>['events'][number]): StreamEventBody[] {
  if (event.type === 'tool-call') return [event];
  const { type, text } = event;
  const pieces: StreamEventBody[] = [];
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + pieceLength);
    if (to < text.length && /[\ud800-\udbff]/.test(text.charAt(to - 1))) to--;
    pieces.push({ type, text: text.slice(from, to) });
    from = to;
  }
  return pieces;
}
