import type { StreamEvent } from '@ziggie/llm-protocol';

/** Now or later: memory answers at once, and a token should not wait for a promise it does not need. */
export type Eventually<T> = T | Promise<T>;

/** Whose answer a log is. Neither the name of a person nor a prompt can be read from it. */
export interface StreamHead {
  /** Whoever may read it has the same; see `ownerKeyOf`. */
  ownerKey: string;
  /** The model that answers, by its name on the model server: whoever may no longer use it reads nothing more. */
  model: string;
}

/** How much is kept of an answer, and for how long. */
export interface StreamBounds {
  /** After the last event, or after the last sign of life of the process that writes. */
  keepMs: number;
  /** How long a run waits for a reader to come back. */
  graceMs: number;
  /** Of one answer; beyond that its oldest events go. */
  maxBytes: number;
  /** Answers of one owner; beyond that the oldest finished ones go. */
  maxPerOwner: number;
}

/**
 * What a writer hears: `go` on, `stop` since somebody asked for that, or `lost`: the log is over or gone, nothing more is
 * kept.
 */
export type WriterNews = 'go' | 'stop' | 'lost';

/** A piece of a log. */
export interface StreamPage {
  /** In order and without gaps, the first one right after what was asked. Empty when there is nothing new. */
  events: readonly StreamEvent[];
  /** Whether more will come: the process that writes is `alive`, has `done` its last event, or is `gone` without it. */
  writer: 'alive' | 'done' | 'gone';
  /** The number of the event that would be written next. */
  next: number;
}

/** Which run an `Idempotency-Key` stands for. */
export interface Claim {
  /** Id of its stream. */
  id: string;
  /** A hash of what was asked. */
  bodyHash: string;
}

/**
 * How long a process that writes may be silent before it counts as gone, in ms. It renews its logs three times in that.
 * As long as this a reader waits for an answer that nobody writes any more.
 */
export const writerLifeMs = 9_000;

/**
 * Where answers are kept while they are written and for a while after, so that a reader whose connection broke can go on
 * with the event it has not seen, here or in another process that shares the store. Methods may throw when the store is
 * away; the answer itself never depends on it.
 */
export interface StreamStore {
  /**
   * Begins a log. `false` when its owner has too many that are not finished; one that was begun and that nobody has written
   * to, whose writer is gone, does not count. Harmless when repeated.
   */
  open(id: string, head: StreamHead, bounds: StreamBounds): Eventually<boolean>;
  /**
   * Adds events, whose `seq` follows the last one; those that are there already are passed over, so that a call may be
   * repeated. A `done` or `error` closes the log.
   */
  append(id: string, events: readonly StreamEvent[], bounds: StreamBounds): Eventually<WriterNews>;
  /** Says that the process that writes these is alive. @returns Those of them that somebody asked to stop. */
  renew(ids: readonly string[], bounds: StreamBounds): Eventually<readonly string[]>;
  /** Closes a log whose writer is gone with its last event, once: whoever comes later finds it closed. */
  bury(id: string, last: StreamEvent, bounds: StreamBounds): Eventually<void>;
  find(id: string): Eventually<StreamHead | undefined>;
  /**
   * Events whose `seq` is greater than `after`, at most about 64 KiB. `undefined` when there is no such log, or when events
   * after `after` are no longer kept.
   *
   * @param stayMs For so long its writer counts a reader as present, in whatever process.
   */
  read(id: string, after: number, stayMs: number): Eventually<StreamPage | undefined>;
  /** For how many ms from now a reader counts as present; 0 for none. */
  readersStayMs(id: string): Eventually<number>;
  /** Calls back soon after something was added. A call may get lost: look now and then all the same. */
  watch(id: string, onNews: () => void): () => void;
  /** Asks whoever writes it to end it. `false` when it is over or unknown. */
  stop(id: string): Eventually<boolean>;
  /** Calls back when somebody asks to stop a log. May get lost, too: {@link append} and {@link renew} say it again. */
  onStop(listener: (id: string) => void): () => void;
  drop(id: string): Eventually<void>;
  /** Takes a key for a run, in one step. @returns Who has it already. */
  claim(key: string, claim: Claim, lifeMs: number): Eventually<Claim | undefined>;
  /** Gives a key back, if it is this run's. */
  unclaim(key: string, id: string): Eventually<void>;
}
