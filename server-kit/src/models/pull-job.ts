import type { ErrorCode } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import { asFailure, KitFailure } from '../failure.ts';
import { newId } from '../request/request-id.ts';
import { Stop } from '../stop.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { Patience } from './patience.ts';
import { PullMeter, type PullRecord } from './pull-meter.ts';
import { recordsOf } from './upstream-calls.ts';

/** How a pull, or its part on one server, is. */
export type PullState = 'running' | 'done' | 'failed' | 'cancelled';

interface HostPull {
  state: PullState;
  /** Latest record per layer, and the latest of all under an empty name. */
  readonly records: Map<string, PullRecord>;
  failure: KitFailure | undefined;
}

/** Who follows a pull. */
export interface PullWatcher {
  onRecord(record: PullRecord): void;
  onEnd(): void;
}

/** A pull as administrators see it in a list. */
export interface ShownPull {
  id: string;
  model: string;
  state: PullState;
  startedAt: string;
  endedAt: string | null;
  hosts: { host: string; state: PullState; code?: ErrorCode | undefined; last?: PullRecord | undefined }[];
}

/**
 * One model on its way to one or several servers. What has arrived stays there: another pull goes on from it, also after a
 * crash of the kit.
 *
 * It goes on while somebody follows it; one that is kept goes on without.
 */
export class PullJob {
  readonly id = newId('pull');
  readonly model: string;
  readonly #clock: Clock;
  readonly #patience: Patience;
  readonly #stop = new Stop();
  readonly #hosts = new Map<string, HostPull>();
  readonly #watchers = new Set<PullWatcher>();
  readonly #startedAt: number;
  readonly #onEnd: (job: PullJob) => void;
  #endedAt: number | undefined;
  isKept = false;

  constructor(
    model: string,
    upstreams: readonly Upstream[],
    patience: Patience,
    onEnd: (job: PullJob) => void,
  ) {
    this.model = model;
    this.#clock = patience.clock;
    this.#patience = patience;
    this.#startedAt = this.#clock.wallNow();
    this.#onEnd = onEnd;
    for (const { id } of upstreams) {
      this.#hosts.set(id, { state: 'running', records: new Map(), failure: undefined });
    }
    void Promise.all(upstreams.map((upstream) => this.#pullTo(upstream))).then(() => this.#ended());
  }

  get hosts(): readonly string[] {
    return [...this.#hosts.keys()];
  }

  get isOver(): boolean {
    return this.#endedAt !== undefined;
  }

  get durationMs(): number {
    return (this.#endedAt ?? this.#clock.wallNow()) - this.#startedAt;
  }

  get state(): PullState {
    const states = [...this.#hosts.values()].map(({ state }) => state);
    return (['running', 'failed', 'cancelled'] as const).find((state) => states.includes(state)) ?? 'done';
  }

  /** Why it ended without the model everywhere; the first reason counts. */
  get failure(): KitFailure | undefined {
    return [...this.#hosts.values()].find(({ failure }) => failure !== undefined)?.failure;
  }

  /** Tells what is known so far, then what comes. @returns How to stop following. */
  watch(watcher: PullWatcher): () => void {
    for (const { records } of this.#hosts.values()) {
      for (const record of records.values()) watcher.onRecord(record);
    }
    if (this.isOver) {
      watcher.onEnd();
      return () => {};
    }
    this.#watchers.add(watcher);
    return () => {
      if (!this.#watchers.delete(watcher) || this.isOver) return;
      if (this.#watchers.size === 0 && !this.isKept) this.cancel(cancelled());
    };
  }

  cancel(reason: KitFailure = cancelled()): void {
    this.#stop.abort(reason);
  }

  shown(): ShownPull {
    const time = (ms: number) => new Date(ms).toISOString();
    return {
      id: this.id,
      model: this.model,
      state: this.state,
      startedAt: time(this.#startedAt),
      endedAt: this.#endedAt === undefined ? null : time(this.#endedAt),
      hosts: [...this.#hosts].map(([host, { state, failure, records }]) => ({
        host,
        state,
        ...(failure && { code: failure.code }),
        ...(records.size > 0 && { last: [...records.values()].at(-1) }),
      })),
    };
  }

  async #pullTo({ id, transport, catalog }: Upstream): Promise<void> {
    const pull = this.#hosts.get(id) as HostPull;
    const meter = new PullMeter(id);
    let isWhole = false;
    try {
      const body = { model: this.model, stream: true };
      await recordsOf(
        transport,
        { method: 'POST', path: '/api/pull', body },
        this.#stop,
        this.#patience,
        (record) => {
          const read = meter.read(record, this.#clock.now());
          isWhole = read.status === 'success';
          // `success` is the word for the whole, and this is one server of several.
          this.#tell(pull, isWhole ? { ...read, status: 'ready' } : read);
        },
      );
      if (!isWhole) {
        throw new KitFailure(
          'truncated',
          'A model server broke off in the middle of the pull. Pull again: it goes on.',
        );
      }
      // The list of models has it now; whoever asks next shall see it.
      await catalog.look().catch(() => {});
      pull.state = 'done';
    } catch (thrown) {
      pull.failure = asFailure(thrown);
      pull.state = this.#stop.aborted ? 'cancelled' : 'failed';
    }
  }

  #tell({ records }: HostPull, record: PullRecord): void {
    const key = record.digest ?? '';
    // The newest last, so that whoever comes later sees it so.
    records.delete(key);
    records.set(key, record);
    for (const { onRecord } of this.#watchers) onRecord(record);
  }

  #ended(): void {
    this.#endedAt = this.#clock.wallNow();
    this.#onEnd(this);
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const { onEnd } of watchers) onEnd();
  }
}

function cancelled(): KitFailure {
  return new KitFailure('aborted', 'This pull was cancelled. Pull again: it goes on from what has arrived.');
}
