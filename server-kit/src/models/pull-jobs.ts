import type { Clock } from '../clock.ts';
import { KitFailure, shuttingDown } from '../failure.ts';
import type { Logger } from '../log/logger.ts';
import { canonicalName } from '../upstream/model-name.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { patienceForPull } from './patience.ts';
import { PullJob } from './pull-job.ts';

/** How many pulls that are over can still be looked at. */
const rememberedPulls = 50;
const retryAfterMs = 30_000;

/** What bounds pulls. */
export interface PullBounds {
  /** Pulls that go on at once. */
  maxPulls: number;
  /** How long a server may say nothing of a pull, in ms. */
  silentMs: number;
}

/** The pulls that go on, and the last ones that are over. */
export class PullJobs {
  readonly #jobs = new Map<string, PullJob>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Brings a model to these servers. The same model on its way to the same servers already is that pull, not another.
   *
   * @param by Who asked, for the log.
   * @throws {KitFailure} `server_busy` when as many go on as may.
   */
  start(
    model: string,
    upstreams: readonly Upstream[],
    { maxPulls, silentMs }: PullBounds,
    logger: Logger,
    by: string,
  ): PullJob {
    const running = [...this.#jobs.values()].filter(({ isOver }) => !isOver);
    const hosts = upstreams.map(({ id }) => id).join();
    const same = running.find(
      (job) => canonicalName(job.model) === canonicalName(model) && job.hosts.join() === hosts,
    );
    if (same) return same;
    if (running.length >= maxPulls) {
      throw new KitFailure('server_busy', `${maxPulls} pulls go on already. Wait for one, or cancel one.`, {
        retryAfterMs,
      });
    }
    const job = new PullJob(model, upstreams, patienceForPull(this.#clock, silentMs), (ended) => {
      const { id, state, durationMs, failure } = ended;
      const code = failure && { code: failure.code, reason: failure.more.reason };
      logger.info(
        { action: 'models.pull', job: id, model, hosts, by, state, durationMs, ...code },
        'llm admin',
      );
      this.#tidy();
    });
    this.#jobs.set(job.id, job);
    logger.info({ action: 'models.pull', job: job.id, model, hosts, by, state: 'running' }, 'llm admin');
    return job;
  }

  find(id: string): PullJob | undefined {
    return this.#jobs.get(id);
  }

  /** The newest first. */
  list(): PullJob[] {
    return [...this.#jobs.values()].reverse();
  }

  /** Ends them all; what has arrived stays with the servers. */
  close(): void {
    for (const job of this.#jobs.values()) job.cancel(shuttingDown());
  }

  #tidy(): void {
    const over = [...this.#jobs.values()].filter(({ isOver }) => isOver);
    for (const { id } of over.slice(0, -rememberedPulls)) this.#jobs.delete(id);
  }
}
