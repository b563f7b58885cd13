import { wrong } from './check-arguments.ts';
import { systemClock } from './clock.ts';
import type { Transport } from './http/transport.ts';
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
  if (settings === undefined) throw wrong('client', 'give one made by createClient()');
  return settings;
}

/** The clock of a client; the system's for a client that was made by somebody else. */
export function clockBehind(client: object): Clock {
  return (client as { [key]?: Settings })[key]?.clock ?? systemClock;
}

/** Another way to carry requests, made by an entry of this package such as `./websocket`. */
export interface ClientTransport {
  /** Closes whatever it holds open. What runs over it fails. */
  close(): void;
}

const transportKey = Symbol.for('ziggie.llm.transport');
type Over = (settings: Settings) => Transport;

/** @param over Makes the transport of one client from its settings, which hold the one that goes over HTTP. */
export function transportOver<T extends ClientTransport>(transport: T, over: Over): T {
  return Object.defineProperty(transport, transportKey, { value: over });
}

/** @throws {TypeError} when the value was not made by an entry of this package. */
export function transportBehind(transport: ClientTransport, settings: Settings): Transport {
  const over = (transport as { [transportKey]?: Over } | undefined)?.[transportKey];
  if (over === undefined) throw wrong('transport', 'give one made by webSocketTransport()');
  return over(settings);
}
