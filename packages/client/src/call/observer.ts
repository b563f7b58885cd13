import type { TimedPhase } from '../errors/timeout-error.ts';
import type { CallInfo, ClientHooks } from '../hooks.ts';
import { hooksOf, type Settings } from '../settings.ts';
import type { CallOptions } from '../types.ts';

/** What a call is for: what its hooks are told. */
export interface CallPurpose {
  /** Such as `chat` or `models.list`. */
  operation: string;
  model?: string | undefined;
  streaming?: boolean | undefined;
}

type Hook = keyof ClientHooks;
type Told<Name extends Hook> =
  Parameters<NonNullable<ClientHooks[Name]>> extends [CallInfo, ...infer Rest] ? Rest : never;

let calls = 0;

/** Tells hooks and the logger about one call. Neither can change or delay it. */
export class Observer {
  readonly #hooks: readonly ClientHooks[];
  readonly #settings: Settings;
  readonly info: CallInfo;

  constructor(
    settings: Settings,
    options: CallOptions,
    { operation, model, streaming = false }: CallPurpose,
  ) {
    this.#settings = settings;
    this.#hooks = [...settings.hooks, ...hooksOf(options.hooks)];
    this.info = Object.freeze({
      callId: ++calls,
      operation,
      ...(model === undefined ? {} : { model }),
      baseUrl: settings.baseUrl,
      streaming,
    });
  }

  /** Whether anybody watches: spares the work of telling every token. */
  get watched(): boolean {
    return this.#hooks.length > 0;
  }

  tell<Name extends Hook>(name: Name, ...told: Told<Name>): void {
    for (const hooks of this.#hooks) {
      try {
        const hook = hooks[name] as ((call: CallInfo, ...told: unknown[]) => unknown) | undefined;
        const given = hook?.call(hooks, this.info, ...told);
        if (given instanceof Promise) given.catch((error: unknown) => this.#threw(name, error));
      } catch (error) {
        this.#threw(name, error);
      }
    }
  }

  slow(phase: TimedPhase, limitMs: number): void {
    this.log('info', 'Still waiting: half of the time for this phase is over.', { phase, limitMs });
  }

  log(
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void {
    const { logger } = this.#settings;
    try {
      const { callId, operation } = this.info;
      logger?.[level]?.(message, { callId, operation, ...fields });
    } catch {
      // A logger that fails has nobody left to tell.
    }
  }

  /** Only the kind of the error: its message may hold what the hook was given. */
  #threw(hook: string, error: unknown): void {
    this.log('error', 'A hook threw; the call goes on.', {
      hook,
      error: error instanceof Error ? error.name : typeof error,
    });
  }
}
