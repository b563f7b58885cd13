import { Dispatcher } from '../../src/queue/dispatcher.ts';
import type { PlaceLease } from '../../src/queue/place-lease.ts';
import { queueSettings } from '../../src/queue/queue-options.ts';
import { Waiting } from '../../src/queue/waiting.ts';
import { VirtualPlaces } from './lines.ts';
import { VirtualClock } from './virtual-clock.ts';

/** One request of a load: when it comes, whose it is and how long it takes. */
export interface LoadJob {
  atMs: number;
  user: string;
  serviceMs: number;
}

/** What became of it. */
export interface LoadResult extends LoadJob {
  waitMs: number;
  /** What it was told when it came, `null` when nobody knew yet. */
  etaMs: number | null;
  endedAtMs: number;
}

/** Who goes next when a place is free. */
export type Discipline = 'ziggie' | 'first come' | 'round robin';

/** Plays a load on so many places of one model, in virtual time. */
export async function playLoad(
  discipline: Discipline,
  jobs: readonly LoadJob[],
  slots: number,
  untilMs: number,
  { withEtas = false }: { withEtas?: boolean } = {},
): Promise<LoadResult[]> {
  const clock = new VirtualClock();
  const line = discipline === 'ziggie' ? ziggie(clock, slots, withEtas) : simple(discipline, slots);
  const results: LoadResult[] = [];
  for (const job of jobs) {
    clock.setTimer(() => {
      const came = clock.now();
      let etaMs: number | null = null;
      etaMs = line(job.user, (release) => {
        const waitMs = clock.now() - came;
        clock.setTimer(() => {
          results.push({ ...job, waitMs, etaMs, endedAtMs: clock.now() });
          release();
        }, job.serviceMs);
      });
    }, job.atMs);
  }
  await clock.runUntil(untilMs);
  return results;
}

/** Asks for a place; gives the expected wait. */
type Line = (user: string, begin: (release: () => void) => void) => number | null;

function ziggie(clock: VirtualClock, slots: number, withEtas: boolean): Line {
  const settings = queueSettings({ maxPerModel: 10_000, maxWaitMs: 86_400_000 });
  const dispatcher = new Dispatcher(settings, new VirtualPlaces({ m: slots }), clock);
  return (user, begin) => {
    const start = (place: PlaceLease) => {
      place.began();
      begin(() => place.release('done'));
    };
    const taken = dispatcher.take({
      place: { model: 'm', principalKey: user },
      priority: 'interactive',
      weight: 1,
      requestId: user,
    });
    if (taken instanceof Waiting) void taken.placed.then(start);
    else start(taken);
    if (!withEtas) return null;
    return taken instanceof Waiting ? (dispatcher.placeOf(taken)?.etaMs ?? null) : 0;
  };
}

/** What stands in front of most model servers, or would be built first. */
function simple(discipline: 'first come' | 'round robin', slots: number): Line {
  const queues = new Map<string, (() => void)[]>();
  let free = slots;
  const next = () => {
    const [key, queue] = queues.entries().next().value ?? [];
    if (key === undefined || queue === undefined || free === 0) return;
    free--;
    const start = queue.shift();
    queues.delete(key);
    // The principal whose turn it was goes to the end.
    if (queue.length > 0) queues.set(key, queue);
    start?.();
  };
  return (user, begin) => {
    const key = discipline === 'first come' ? '' : user;
    const queue = queues.get(key) ?? [];
    queues.set(key, queue);
    queue.push(() =>
      begin(() => {
        free++;
        next();
      }),
    );
    next();
    return null;
  };
}

/** A heavy user with 200 jobs of 8 s at once, ten light users with one job of 4 s a minute each, for 30 minutes. */
export function fairnessLoad(random: () => number, heavyJobs = 200): LoadJob[] {
  const jobs: LoadJob[] = [];
  for (let at = 0; at < heavyJobs; at++) jobs.push({ atMs: 0, user: 'heavy', serviceMs: 8000 });
  for (let user = 0; user < 10; user++) {
    const offset = random() * 60_000;
    for (let minute = 0; minute < 30; minute++) {
      jobs.push({ atMs: offset + minute * 60_000, user: `light ${user}`, serviceMs: 4000 });
    }
  }
  return jobs;
}
