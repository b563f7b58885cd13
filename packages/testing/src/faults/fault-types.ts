import type { Script } from '../script/step-types.ts';

/** Whose doing a fault is. Only what an upstream or the wire before it does can be played by a stand-in. */
export type FaultSide = 'upstream' | 'environment' | 'client' | 'stores' | 'host' | 'websocket';

/** One fault of the catalogue. */
export interface FaultEntry {
  /** What goes wrong. */
  what: string;
  side: FaultSide;
  /** Whether it shows over a socket only. */
  socketOnly?: boolean | undefined;
  /** Text that stands in complete frames before it goes wrong; what a client may have shown. */
  partial?: string | undefined;
  /** How it is played, the usual way first. None: a stand-in cannot do it. */
  variants?: Readonly<Record<string, () => Script>> | undefined;
}

/** What `fault()` can play, for tests that walk through all of it. */
export interface FaultInfo {
  /** `F001` to `F124`. */
  id: string;
  what: string;
  side: FaultSide;
  socketOnly: boolean;
  partial: string;
  /** Names for the second argument of `fault()`, the usual one first. */
  variants: readonly string[];
}
