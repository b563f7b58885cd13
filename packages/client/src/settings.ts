import type { Transport } from './http/transport.ts';
import type { Logger } from './logger.ts';
import type { Target } from './targets/target.ts';
import type {
  CallOptions,
  ClientOptions,
  Clock,
  Credentials,
  Recovery,
  RetryOptions,
  Timeouts,
} from './types.ts';

/** The options of a client, checked and complete. */
export interface Settings {
  target: Target;
  /** Without a trailing slash. */
  baseUrl: string;
  transport: Transport;
  credentials?: Credentials | undefined;
  headers: Readonly<Record<string, string>>;
  timeouts: Partial<Timeouts>;
  retry: Partial<RetryOptions>;
  recovery: Recovery;
  resume: boolean;
  hooks?: ClientOptions['hooks'];
  logger?: Logger | undefined;
  clock: Clock;
  random: () => number;
}

const defaultTimeouts: Timeouts = {
  connectMs: 10_000,
  loadMs: 600_000,
  firstTokenMs: 600_000,
  idleMs: 60_000,
  totalMs: Infinity,
};

/** Ollama holds back a tool call or an object until it is whole, so silence is longer there. */
export const IDLE_WITH_STRUCTURE_MS = 180_000;

/** How long a broken answer is picked up for, unless it is set. */
export const RECONNECT_MS = 300_000;

/** The call's own timeouts over the client's over the defaults. */
export function timeoutsFor(settings: Settings, options: CallOptions, idleMs?: number): Timeouts {
  return {
    ...defaultTimeouts,
    ...given({ idleMs }),
    ...given(settings.timeouts),
    ...given(options.timeouts),
  };
}

/** The members that are not `undefined`: those alone replace a default. */
export function given<T extends object>(
  some: T | undefined,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(some ?? {}).filter(([, value]) => value !== undefined)) as never;
}
