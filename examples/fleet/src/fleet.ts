import type { Recovery } from '@ziggie/llm-client';
import { createAccess } from './access.ts';
import { balancedFetch } from './balanced-fetch.ts';
import { type KitView, KitWatch } from './kit-watch.ts';
import { models, userCount } from './plan.ts';
import type { Program, ProgramState } from './program.ts';
import { makePrograms } from './programs.ts';
import type { TallyView } from './tally.ts';
import { Traffic } from './traffic.ts';

/** All that the page shows, at one moment. */
export interface FleetView {
  programs: { name: string; kind: 'gpu' | 'kit' | 'store'; state: ProgramState }[];
  /** What each kit says of its upstreams and lines; `null` for one that does not answer. */
  kits: { name: string; view: KitView | null; trouble: string }[];
  traffic: { isOn: boolean; users: number } & TallyView;
}

/** Everything that was started. */
export interface Fleet {
  /** Where each kit answers. */
  kitUrls: readonly string[];
  hasRedis: boolean;
  view(): FleetView;
  kill(name: string): boolean;
  /** Resolves once it is up again. */
  revive(name: string): Promise<boolean>;
  setTraffic(isOn: boolean): void;
  tokenFor(subject: string): Promise<string>;
  close(): Promise<void>;
}

/** Who asks the fleet, and how. */
export interface FleetOptions {
  /** Default: as many as the plan says. */
  users?: number;
  /** Default: `throw`. */
  recovery?: Recovery;
}

/** Starts the model servers and the store, then the kits. @throws {Error} when one of them cannot be started. */
export async function startFleet({ users = userCount, recovery }: FleetOptions = {}): Promise<Fleet> {
  const access = createAccess();
  const { redis, gpus, kits } = await makePrograms(access);
  const rows: { program: Program; kind: 'gpu' | 'kit' | 'store' }[] = [
    ...gpus.map((program) => ({ program, kind: 'gpu' as const })),
    ...kits.map(({ program }) => ({ program, kind: 'kit' as const })),
    ...(redis ? [{ program: redis, kind: 'store' as const }] : []),
  ];
  const killAll = () => rows.forEach(({ program }) => void program.kill());
  // Whatever ends this process, its children go with it.
  process.once('exit', killAll);
  try {
    await Promise.all([...gpus, ...(redis ? [redis] : [])].map((program) => program.start()));
    await Promise.all(kits.map(({ program }) => program.start()));
  } catch (error) {
    killAll();
    throw error;
  }
  const administrator = await access.tokenFor('fleet', 'admin');
  const watches = kits.map(({ program, url }) => new KitWatch(program.name, url, administrator));
  const kitUrls = kits.map(({ url }) => url);
  const traffic = new Traffic({
    baseUrl: kitUrls[0] as string,
    fetch: balancedFetch(kitUrls.map((url) => new URL(url).origin)),
    models,
    tokenFor: (subject) => access.tokenFor(subject, 'user'),
    recovery,
  });
  const programOf = (name: string) => rows.find(({ program }) => program.name === name)?.program;
  return {
    kitUrls,
    hasRedis: redis !== undefined,
    view: () => ({
      programs: rows.map(({ program, kind }) => ({ name: program.name, kind, state: program.state })),
      kits: watches.map(({ name, view, trouble }) => ({ name, view, trouble })),
      traffic: { isOn: traffic.isOn, users, ...traffic.tally.view() },
    }),
    kill: (name) => {
      programOf(name)?.kill();
      return programOf(name) !== undefined;
    },
    revive: async (name) => {
      await programOf(name)?.start();
      return programOf(name) !== undefined;
    },
    setTraffic: (isOn) => (isOn ? traffic.start(users) : traffic.stop()),
    tokenFor: (subject) => access.tokenFor(subject, 'user'),
    close: async () => {
      traffic.stop();
      for (const watch of watches) watch.close();
      await Promise.all(kits.map(({ program }) => program.stop()));
      await Promise.all([...gpus, ...(redis ? [redis] : [])].map((program) => program.stop()));
      process.off('exit', killAll);
    },
  };
}
