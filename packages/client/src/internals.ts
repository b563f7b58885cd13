import { systemClock } from './clock.ts';
import type { Settings } from './settings.ts';
import type { Clock, ZiggieClient } from './types.ts';

// Registered: `./admin`, `./tools` and the other entries may be bundled apart from the entry that made the client.
const key = Symbol.for('ziggie.llm.settings');

/** Lets the other entries of this package speak for the client: same server, credentials, clock and retry rules. */
export function withSettings<T extends object>(client: T, settings: Settings): T {
  return Object.defineProperty(client, key, { value: settings });
}

/** @throws {TypeError} when the value was not made by `createClient`. */
export function settingsBehind(client: ZiggieClient): Settings {
  const settings = (client as { [key]?: Settings } | undefined)?.[key];
  if (settings === undefined) throw new TypeError('Reading client: give one made by createClient().');
  return settings;
}

/** The clock of a client; the system's for a client that was made by somebody else. */
export function clockBehind(client: object): Clock {
  return (client as { [key]?: Settings })[key]?.clock ?? systemClock;
}
