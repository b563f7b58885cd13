import type { TimedPhase } from '../errors/timeout-error.ts';
import type { CallInfo, ClientHooks } from '../hooks.ts';
import type { Settings } from '../settings.ts';
import type { CallOptions, ChatResult } from '../types.ts';

/** What a call is for: what its hooks are told. */
export interface CallPurpose {
  /** Such as `chat` or `models.list`. */
  operation: string;
  model?: string | undefined;
  streaming?: boolean | undefined;
}

export type Hook = keyof ClientHooks;
type Heard<Name extends Hook> =
  Parameters<NonNullable<ClientHooks[Name]>> extends [CallInfo, ...infer Rest] ? Rest : never;
/** What a call ended with: the whole answer, where it is one. Hooks are told all but its text. */
type End = Pick<ChatResult, 'attempts'> & Partial<ChatResult>;
/** What a hook is told besides the call, and besides the time since the call began, which is added here. */
export type Told<Name extends Hook> = Name extends 'done'
  ? [End]
  : Name extends Timed
    ? Heard<Name> extends [infer Details]
      ? Name extends 'connect' | 'firstToken'
        ? []
        : [Omit<Details, 'elapsedMs'>]
      : never
    : Heard<Name>;

const timed = ['connect', 'firstByte', 'firstToken', 'done', 'error'] as const satisfies Hook[];
type Timed = (typeof timed)[number];

/** Tells hooks and the logger about one call. Neither can change it. Loaded where there are any. */
export interface Observer {
  /** An `event` that is a tool call is told as `toolCall` too. */
  tell<Name extends Hook>(name: Name, ...told: Told<Name>): void;
  slow(phase: TimedPhase, limitMs: number): void;
  log(
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields: Readonly<Record<string, unknown>>,
  ): void;
}

let calls = 0;

function figuresOf({ attempts, usage, timings, stats, finishReason, model: upstreamModel }: End): object {
  return { attempts, usage, timings, stats, finishReason, upstreamModel };
}

export function newObserver(
  { hooks, logger, baseUrl }: Settings,
  options: CallOptions,
  { operation, model, streaming = false }: CallPurpose,
  elapsedMs: () => number,
): Observer {
  const all = [hooks, options.hooks].flatMap((some) => some ?? []);
  const callId = ++calls;
  const info: CallInfo = Object.freeze({
    callId,
    operation,
    ...(model === undefined ? {} : { model }),
    baseUrl,
    streaming,
  });

  const log: Observer['log'] = (level, message, fields) => {
    try {
      logger?.[level]?.(message, { callId, operation, ...fields });
    } catch {
      // A logger that fails has nobody left to tell.
    }
  };

  const observer: Observer = {
    tell(name, ...told) {
      // Only the kind of the error: its message may hold what the hook was given.
      const threw = (error: unknown): void =>
        log('error', 'A hook threw; the call goes on.', {
          hook: name,
          error: error instanceof Error ? error.name : typeof error,
        });
      const details = name === 'done' ? figuresOf(told[0] as End) : told[0];
      const heard = (timed as readonly Hook[]).includes(name)
        ? [{ elapsedMs: elapsedMs(), ...details }]
        : told;
      for (const some of all) {
        try {
          const hook = some[name] as ((call: CallInfo, ...told: unknown[]) => unknown) | undefined;
          const given = hook?.call(some, info, ...heard);
          if (given instanceof Promise) given.catch(threw);
        } catch (error) {
          threw(error);
        }
      }
      const [event] = told as readonly { type?: string; id?: string; name?: string }[];
      if (name === 'event' && event?.type === 'tool-call')
        observer.tell('toolCall', { id: event.id as string, name: event.name as string });
    },
    slow: (phase, limitMs) =>
      log('info', 'Still waiting: half of the time for this phase is over.', { phase, limitMs }),
    log,
  };
  return observer;
}
