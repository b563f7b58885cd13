import type { ErrorCode } from '@ziggie/llm-protocol';
import type { PromptPrefix } from '../placement/prefix-hashes.ts';
import type { ModelCatalog } from '../upstream/model-catalog.ts';
import type { Transport } from '../upstream/transport.ts';
import type { CacheSaltScope } from './cache-salt.ts';
import type { UpstreamDialect } from './upstream-settings.ts';

/** A model server that a place is on. */
export interface PlaceUpstream {
  /** Stable for its life; what `avoid` holds. Never an address. */
  readonly id: string;
  readonly dialect: UpstreamDialect;
  /** Who is kept apart in what it remembers of prompts, where it can. */
  readonly cacheSalt?: CacheSaltScope | undefined;
  /** Whether its last answer ended well. */
  readonly isSteady: boolean;
  readonly transport: Transport;
  readonly catalog: ModelCatalog;
}

/** Who wants to run what. */
export interface PlaceAsk {
  /** The model by its canonical name (`canonicalName`). */
  readonly model: string;
  readonly principalKey: string;
  readonly tenant?: string | undefined;
  /** The prompt's growing beginnings: where the longest known one ran, its cache is warm. Asked for only where it decides. */
  readonly prefix?: (() => PromptPrefix) | undefined;
  /** Ids of upstreams that have failed this ask already. */
  readonly avoid?: ReadonlySet<string> | undefined;
  /** Only upstreams whose last answer ended well. */
  readonly steadyOnly?: boolean | undefined;
  /** Only upstreams that have just this file of the model. */
  readonly digest?: string | undefined;
  /** Only upstreams that have the model in memory, a place free, and nobody waiting for what they have. */
  readonly warmOnly?: boolean | undefined;
  /** How many asks for the same model stand before this one; they make waiting dearer. Default 0. */
  readonly ahead?: number | undefined;
}

/**
 * How a run on a place ended, as far as the upstream's health goes: `done` (a whole answer), `left` (the caller went or
 * a refusal was its own fault, 4xx: says nothing about the upstream), `failed` (unreachable, broken, 5xx, too slow).
 */
export type PlaceOutcome = 'done' | 'left' | 'failed';

/** A right to run one request on one upstream now. It must be released, once; repeats are harmless. */
export interface Place {
  readonly upstream: PlaceUpstream;
  /** The upstream's own spelling of the model. */
  readonly model: string;
  /** What the choice expects the ask to wait for its first token, in ms. */
  readonly expectedWaitMs?: number | undefined;
  /** Whether the model must be loaded first, as far as is known. */
  readonly cold: boolean;
  /** Models that are to go from memory for this one, by the upstream's own spelling. */
  readonly evicts?: readonly string[] | undefined;
  /** The first token has come: what was cold is warm. */
  began(): void;
  /** `code` says why it failed, for administrators. */
  release(outcome: PlaceOutcome, code?: ErrorCode): void;
}

/**
 * Why there is no place now. `busy`: wait for {@link Places.onFreed} and try again, also when a free upstream would have
 * to load the model and waiting is cheaper, or while a request finds out whether one that was down is well again. `unknown_model`: no upstream has it. `none_healthy`: those that have it are
 * down, drained or avoided.
 */
export type NoPlace = 'busy' | 'unknown_model' | 'none_healthy';

/** Where answers can run. Never waits: who waits, and in which order, is the queue's business. */
export interface Places {
  tryTake(ask: PlaceAsk): Place | NoPlace;
  /** When an upstream that is down is tried again, in ms from now; `undefined` when none is down. */
  reopensInMs?(): number | undefined;
  /** Calls back each time a place may have become free for some ask. Returns how to stop it. */
  onFreed(listener: () => void): () => void;
}
