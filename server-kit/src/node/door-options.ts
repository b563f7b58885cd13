import { type Clock, systemClock } from '../clock.ts';
import { trustsTooMuch } from '../doctor/judge.ts';
import { type AddressResolver, addressResolver, type TrustProxy } from './client-address.ts';

/** Settings that every door has. */
export interface DoorOptions {
  /** Proxies in front that are believed about the client's address. Default: none. */
  trustProxy?: TrustProxy | undefined;
  /** A client that takes nothing for so long while we have bytes for it is cut off. Default 30 s. */
  stallTimeoutMs?: number | undefined;
  clock?: Clock | undefined;
}

/** {@link DoorOptions} checked, with defaults. */
export interface Door {
  clientAddress: AddressResolver;
  /** Whether any proxy is believed. */
  believes: boolean;
  trustsTooMuch: boolean;
  stallTimeoutMs: number;
  clock: Clock;
}

/** @throws TypeError for options that would not do what they say. */
export function openDoor(options: DoorOptions): Door {
  const { trustProxy, stallTimeoutMs = 30_000, clock = systemClock } = options;
  if (!(stallTimeoutMs > 0)) throw new TypeError(`stallTimeoutMs must be above 0, got ${stallTimeoutMs}`);
  return {
    clientAddress: addressResolver(trustProxy),
    believes: trustProxy !== undefined,
    trustsTooMuch: trustsTooMuch(trustProxy),
    stallTimeoutMs,
    clock,
  };
}
