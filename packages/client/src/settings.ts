import type { ClientHooks } from './hooks.ts';
import type { Transport } from './http/transport.ts';
import type { Logger } from './logger.ts';
import type { Target } from './targets/target.ts';
import type { CallOptions, Clock, Credentials, Recovery, RetryOptions, Timeouts } from './types.ts';

/** The options of a client, checked and complete. */
export interface Settings {
  target: Target;
  /** Without a trailing slash. */
  baseUrl: string;
  transport: Transport;
  credentials: Credentials | undefined;
  headers: Readonly<Record<string, string>>;
  timeouts: Partial<Timeouts>;
  retry: Partial<RetryOptions>;
  recovery: Recovery;
  resume: boolean;
  hooks: readonly ClientHooks[];
  logger: Logger | undefined;
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

const defaultRetry: RetryOptions = {
  maxAttempts: 3,
  baseMs: 250,
  capMs: 8_000,
  maxRetryAfterMs: 60_000,
  reconnectMs: 300_000,
};

/** The call's own timeouts over the client's over the defaults. */
export function timeoutsFor(settings: Settings, options: CallOptions, idleMs?: number): Timeouts {
  return overlay(
    { ...defaultTimeouts, ...(idleMs === undefined ? {} : { idleMs }) },
    settings.timeouts,
    options.timeouts,
  );
}

/** The call's own retry rules over the client's over the defaults. */
export function retryFor(settings: Settings, options: CallOptions): RetryOptions {
  return overlay({ ...defaultRetry }, settings.retry, options.retry);
}

function overlay<T extends object>(base: T, ...layers: (Partial<T> | undefined)[]): T {
  for (const layer of layers) {
    for (const name of Object.keys(base) as (keyof T)[]) {
      const value = layer?.[name];
      if (value !== undefined) base[name] = value;
    }
  }
  return base;
}

/** One hook, several or none, as a list. */
export function hooksOf(given: CallOptions['hooks']): readonly ClientHooks[] {
  return given === undefined ? [] : Array.isArray(given) ? given : [given as ClientHooks];
}
