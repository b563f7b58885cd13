import fc from 'fast-check';
import type { ConversationAction, RunAction } from '../../src/conversation/actions.ts';
import type { ConversationRecord, TurnEnd } from '../../src/conversation/types.ts';
import type { ChatEvent } from '../../src/types.ts';
import { fullRecord } from './storage.contract.ts';

/** Few ids, so that actions meet; two of them are names that a plain object would trip over. */
const id = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor');
const at = fc.integer({ min: 0, max: 10_000 });
const words = fc.constantFrom('', 'x', 'two words', '\ud800');
const count = fc.integer({ min: 0, max: 20 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const call = fc.record({ id, name: fc.constant('f'), arguments: fc.constant({ a: [1] }) });

const end: fc.Arbitrary<TurnEnd> = fc.constantFrom<TurnEnd>(
  { kind: 'complete', finishReason: 'stop' },
  { kind: 'stopped' },
  { kind: 'failed', failure: { code: 'truncated', message: 'x', retryable: true } },
);

type Action = ConversationAction | RunAction;

const of = <T extends Action['type'], M extends object>(
  type: T,
  members: { [K in keyof M]: fc.Arbitrary<M[K]> },
) => fc.record({ type: fc.constant(type), ...members }) as unknown as fc.Arbitrary<Action>;

/** A record whose last answer was cut while it was written. */
const { nodes, ...rest } = fullRecord('default');
const cutRecord: ConversationRecord = {
  ...rest,
  nodes: [
    ...nodes,
    { id: 'b', parentId: 's', role: 'assistant', text: 'Ha', thinking: '', toolCalls: [], createdAt: 0 },
  ],
};

/** Any action in any order, fitting or not. Those that carry a turn forward come more often. */
export const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: of('message-added', { id, parentId: maybe(id), text: words, at }) },
  { weight: 6, arbitrary: of('answer-started', { id, parentId: id, model: fc.constant('m'), at }) },
  {
    weight: 4,
    arbitrary: of('answer-written', {
      id,
      thinking: words,
      text: words,
      tokens: count,
      thinkingAt: maybe(at),
      textAt: maybe(at),
      at,
    }),
  },
  { weight: 2, arbitrary: of('answer-ended', { id, end, at }) },
  of('run-accepted', { id, at }),
  of('run-retrying', { id, attempt: count, nextTryAt: at, at }),
  of('run-retried', { id }),
  of('run-queued', { id, position: count, of: count, etaMs: maybe(count) }),
  of('run-loading', { id, model: fc.constant('m'), startedAt: at, typicalMs: maybe(at) }),
  of('tool-called', { id, call, at }),
  of('tool-noted', { id, callId: id, state: fc.constant('running') }),
  of('tool-answered', { id, outcome: fc.record({ callId: id, content: words }), durationMs: count, at }),
  of('context-cut', { id, cut: fc.constantFrom(null, { firstId: 'a' }) }),
  of('round-started', { id, timings: fc.constant({ decodeMs: 1 }) }),
  of('feedback-given', { id, feedback: fc.constantFrom(null, { rating: 'up', at: 1 } as const), at }),
  of('sources-added', { id, sources: fc.constant([{ id: 's' }]), at }),
  of('turn-queued', { turn: fc.record({ id, text: words, model: words, queuedAt: at }) }),
  of('turn-moved', { id, to: count }),
  of('turn-edited', { id, text: words }),
  of('turn-unqueued', { id }),
  of('queue-paused', { reason: fc.constantFrom('stopped', 'offline', 'held') }),
  of('queue-resumed', {}),
  of('answer-voided', { id }),
  of('usage-counted', {
    id,
    usage: fc.constant({ inputTokens: 1, outputTokens: 1, source: 'estimated' } as const),
  }),
  of('stop-asked', { id }),
  of('answer-dropped', { id, at }),
  of('answer-continued', { id, at }),
  of('message-removed', { id, at }),
  of('head-moved', { id }),
  of('model-set', { model: words, at }),
  of('title-set', { title: words, at }),
  of('conversation-cleared', {}),
  of('conversation-loaded', { record: fc.constant(cutRecord) }),
);

const sent: fc.Arbitrary<ChatEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('text-delta' as const), text: words }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('thinking-delta' as const), text: words }) },
  fc.constantFrom<ChatEvent>(
    { type: 'start', id: 'r', model: 'm', upstreamModel: 'm', resumable: false },
    { type: 'queued', position: 1, of: 1, etaMs: null },
    { type: 'loading', model: 'm', elapsedMs: 5, typicalMs: null },
    { type: 'tool-call', id: 'c', name: 'f', arguments: {} },
    { type: 'restart', attempt: 2 },
    { type: 'usage', inputTokens: 1, outputTokens: Number.NaN, source: 'upstream' },
    { type: 'usage', inputTokens: 1, outputTokens: 2, source: 'upstream' },
    { type: 'done', finishReason: 'stop', timings: { totalMs: 1 } },
  ),
);

/** One thing that a person, a server or time does to an open conversation. `which` picks a message. */
export type Step =
  | { do: 'send' | 'stop' | 'retry' | 'clear' | 'setModel' | 'end' | 'fail' | 'frame' }
  | { do: 'interrupt' | 'undo' | 'pause' | 'resume' | 'online' | 'offline' | 'toolsDone' | 'elsewhere' }
  | { do: 'regenerate' | 'edit' | 'switchTo' | 'continue' | 'remove' | 'feedback'; which: number }
  | { do: 'editQueued' | 'removeQueued'; which: number }
  | { do: 'moveQueued'; which: number; to: number }
  | { do: 'emit'; events: ChatEvent[] }
  | { do: 'wait'; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('send' as const) }) },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('emit' as const), events: fc.array(sent, { maxLength: 4 }) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('frame' as const) }) },
  fc.record({ do: fc.constantFrom('stop' as const, 'retry' as const, 'end' as const, 'fail' as const) }),
  fc.record({ do: fc.constantFrom('clear' as const, 'setModel' as const) }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('regenerate' as const, 'edit' as const, 'switchTo' as const),
      which: fc.nat(9),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('continue' as const, 'remove' as const, 'feedback' as const),
      which: fc.nat(9),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'interrupt' as const,
        'undo' as const,
        'pause' as const,
        'resume' as const,
        'online' as const,
        'offline' as const,
        'elsewhere' as const,
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('toolsDone' as const) }) },
  fc.record({ do: fc.constantFrom('editQueued' as const, 'removeQueued' as const), which: fc.nat(2) }),
  fc.record({ do: fc.constant('moveQueued' as const), which: fc.nat(2), to: fc.nat(2) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 600, 1000) }),
);

/** A walk: steps, each followed by a pause in which promises settle, or by the next step in the same task. */
export const walk: fc.Arbitrary<{ step: Step; pause: boolean }[]> = fc.array(
  fc.record({ step, pause: fc.boolean() }),
  { maxLength: 25 },
);
