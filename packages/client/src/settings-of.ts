import { platformTransport } from '#platform-transport';
import { checkCall, checkToken } from './check-arguments.ts';
import { systemClock } from './clock.ts';
import { parseBaseUrl } from './http/base-url.ts';
import { fetchTransport } from './http/fetch-transport.ts';
import { transportBehind } from './internals.ts';
import { given, type Settings } from './settings.ts';
import type { Target } from './targets/target.ts';
import type { ClientOptions } from './types.ts';

/** Checks the options of a client and completes them. @throws {TypeError} for wrong ones. */
export function settingsOf(options: ClientOptions, target: Target): Settings {
  checkCall(options);
  const { fetch, credentials } = options;
  if (typeof credentials === 'string') checkToken(credentials);
  const settings: Settings = {
    headers: {},
    timeouts: {},
    retry: {},
    recovery: 'throw',
    resume: true,
    clock: systemClock,
    random: Math.random,
    ...given(options),
    target,
    baseUrl: target.baseUrl(parseBaseUrl(options.baseUrl, globalThis.location?.href)),
    transport: fetch ? fetchTransport(fetch) : platformTransport,
  };
  if (options.transport) settings.transport = transportBehind(options.transport, { ...settings });
  return settings;
}
