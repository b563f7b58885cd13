import type { ScriptBook } from '../script/script-book.ts';
import type { Shape, Step } from '../script/step-types.ts';
import type { FakeClock } from '../types.ts';
import type { BlobStore } from './blob-store.ts';
import type { Catalog } from './catalog.ts';
import type { Scheduler } from './scheduler.ts';
import type { WallTime } from './timestamp.ts';

/** What every route works with. */
export interface World {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly pullBytesPerSecond: number;
  readonly scheduler: Scheduler;
  readonly scripts: ScriptBook;
  readonly clock: FakeClock;
  readonly tokensPerSecond: number;
  readonly prefillMsPerToken: number;
  readonly slotsPerModel: number;
  readonly version: string;
  readonly cloudDisabled: boolean;
  /** The date that belongs to a reading of the clock. */
  wallTime(clockMs: number): WallTime;
}

/** A request as a door hands it in. */
export interface Incoming {
  method: string;
  /** Path without query. */
  path: string;
  /** With the question mark, or empty. */
  query: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** Whether the `Host` header may pass; `false` is answered with 403. */
  hostAllowed: boolean;
  readText(): Promise<string>;
  readBytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** Fires when the client leaves. */
  signal: AbortSignal;
  /** Records one piece of the answer. */
  onRecord(): void;
  /** The answer is complete: a client that leaves from now on misses nothing. */
  onComplete(): void;
}

/** A request before the stand-in adds its book-keeping. The body may be read once. */
export type DoorRequest = Omit<Incoming, 'readText' | 'onRecord' | 'onComplete'>;

/** How a door has a request answered. A rejection means: end the connection without an answer. */
export type Handle = (request: DoorRequest) => Promise<Outgoing>;

/** What goes out one piece after the other; each piece is one write. */
export type Pieces = AsyncGenerator<string | Uint8Array<ArrayBuffer>, void, void>;

/** An answer as a door sends it. */
export interface Outgoing {
  status: number;
  headers: Record<string, string>;
  body: string | Pieces;
  /** What is left for the door to do: the parts that only a socket has. */
  shape?: Shape | undefined;
  /** These bytes in place of everything above. */
  wire?: Extract<Step, { kind: 'wire' }> | undefined;
}
