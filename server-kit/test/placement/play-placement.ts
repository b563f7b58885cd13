import { Dispatcher } from '../../src/queue/dispatcher.ts';
import { Waiting } from '../../src/queue/waiting.ts';
import type { Place } from '../../src/upstreams/places.ts';
import { upstreamSettings } from '../../src/upstreams/upstream-settings.ts';
import { Upstreams } from '../../src/upstreams/upstreams.ts';
import { randomFrom } from '../queue/random.ts';
import { type GpuSettings, SimulatedGpu } from './simulated-gpu.ts';
import { VirtualClock } from './virtual-clock.ts';

/** How requests find a machine. `ziggie` is the kit's own placement and queue. */
export type Policy = 'ziggie' | 'least connections' | 'random' | 'sticky';
export const policies: readonly Policy[] = ['ziggie', 'least connections', 'random', 'sticky'];

export interface PlacementLoad extends Omit<GpuSettings, 'fileOrder'> {
  gpus: number;
  requests: number;
  /** Mean time an answer is written. */
  serviceMs: number;
  /** Share of the fleet's time that answers alone would take. */
  utilisation: number;
  /** Requests before those that count: a fleet that has run for a while. */
  warmUp: number;
  /** How unequal the models are asked for: 1/rank to this power (Zipf). */
  zipf: number;
  users: number;
}

export interface Played {
  coldLoads: number;
  /** Time to the first token of each request, in ms. */
  firstTokenMs: number[];
}

/** Three machines of one answer at a time and two models in memory each, five models by Zipf 1.1, loads of 20 s, 70 % busy. */
export const scenario: PlacementLoad = {
  gpus: 3,
  models: ['m1:latest', 'm2:latest', 'm3:latest', 'm4:latest', 'm5:latest'],
  resident: 2,
  loadMs: 20_000,
  slotsPer: 'machine',
  slots: 1,
  prefillMs: 300,
  requests: 1000,
  warmUp: 200,
  serviceMs: 3000,
  utilisation: 0.7,
  zipf: 1.1,
  users: 30,
};

/** Plays a load once; equal seeds give equal loads for every policy. */
export async function playPlacement(policy: Policy, load: PlacementLoad, seed: number): Promise<Played> {
  const clock = new VirtualClock();
  const random = randomFrom(seed);
  const files = randomFrom(seed + 2e6);
  const fileOrder = new Map(load.models.map((model) => [model, files()]));
  const machine = { ...load, fileOrder: (model: string) => fileOrder.get(model) ?? 0 };
  const gpus = Array.from({ length: load.gpus }, () => new SimulatedGpu(clock, machine));
  const firstTokenMs: number[] = [];
  let done = 0;
  const run =
    policy === 'ziggie' ? await ours(clock, gpus, load) : theirs(policy, gpus, randomFrom(seed + 1e6));
  const slots = load.slots * (load.slotsPer === 'machine' ? load.gpus : load.gpus * load.resident);
  const everyMs = (load.serviceMs + load.prefillMs) / (slots * load.utilisation);
  const exponential = (mean: number) => -mean * Math.log(1 - random());
  let at = 0;
  const total = load.warmUp + load.requests;
  let loadsBefore = 0;
  const loads = () => gpus.reduce((sum, gpu) => sum + gpu.loads, 0);
  for (let request = 0; request < total; request++) {
    const counts = request >= load.warmUp;
    at += exponential(everyMs);
    const model = zipfModel(load, random());
    const user = `user ${Math.floor(random() * load.users)}`;
    const serviceMs = exponential(load.serviceMs);
    const arrivesAt = at;
    clock.setTimer(() => {
      if (request === load.warmUp) loadsBefore = loads();
      run(
        { model, user, serviceMs },
        () => counts && firstTokenMs.push(clock.now() - arrivesAt),
        () => done++,
      );
    }, at);
  }
  await clock.run(() => done === total);
  return { coldLoads: loads() - loadsBefore, firstTokenMs };
}

interface Ask {
  model: string;
  user: string;
  serviceMs: number;
}
type Run = (ask: Ask, onFirst: () => void, onDone: () => void) => void;

/** The kit's own placement and queue. */
async function ours(clock: VirtualClock, gpus: readonly SimulatedGpu[], load: PlacementLoad): Promise<Run> {
  const list = gpus.map((_, at) => ({
    url: `http://gpu-${at}.invalid`,
    name: `gpu-${at}`,
    slots: load.slots,
    ...(load.slotsPer === 'machine' ? { maxInFlight: load.slots } : {}),
  }));
  const open = new Map(list.map(({ name }, at) => [name, gpus[at] as SimulatedGpu]));
  const upstreams = new Upstreams(
    upstreamSettings(list, 1000),
    ({ id }) => open.get(id) as SimulatedGpu,
    clock,
  );
  await Promise.all(upstreams.all.map(({ catalog }) => catalog.names(0)));
  const never = Number.POSITIVE_INFINITY;
  const line = new Dispatcher(
    { maxPerModel: 100_000, maxWaitMs: 1e12, batchGuardMs: never },
    upstreams,
    clock,
  );
  upstreams.waitingFor = (model) => line.waitingFor(model);
  return ({ model, user, serviceMs }, onFirst, onDone) => {
    const serve = (place: Place) => {
      const gpu = open.get(place.upstream.id) as SimulatedGpu;
      for (const victim of place.evicts ?? []) gpu.unload(victim);
      gpu.generate(
        model,
        serviceMs,
        (loadMs) => {
          // As a run does: the first token shows what is in memory, the last record how long the load took.
          place.began();
          place.upstream.catalog.sawAnswer(model);
          if (loadMs > 0) place.upstream.catalog.learnLoadTime(model, loadMs);
          onFirst();
        },
        () => {
          place.release('done');
          onDone();
        },
      );
    };
    const place = line.take({
      place: { model, principalKey: user },

      requestId: user,
      priority: 'interactive',
      weight: 1,
    });
    if (place instanceof Waiting) void place.placed.then(serve);
    else serve(place);
  };
}

/** What others do: choose a machine at once, and let requests wait there. */
function theirs(policy: Policy, gpus: readonly SimulatedGpu[], random: () => number): Run {
  const homes = new Map<string, SimulatedGpu>();
  const least = () => {
    const fewest = Math.min(...gpus.map(({ load }) => load));
    const equal = gpus.filter(({ load }) => load === fewest);
    return equal[Math.floor(random() * equal.length)] as SimulatedGpu;
  };
  const any = () => gpus[Math.floor(random() * gpus.length)] as SimulatedGpu;
  const choose = (user: string): SimulatedGpu => {
    if (policy === 'random') return any();
    if (policy === 'least connections') return least();
    const home = homes.get(user) ?? least();
    homes.set(user, home);
    return home;
  };
  return ({ model, user, serviceMs }, onFirst, onDone) =>
    choose(user).generate(model, serviceMs, onFirst, onDone);
}

function zipfModel({ models, zipf }: PlacementLoad, chance: number): string {
  const weights = models.map((_, at) => 1 / (at + 1) ** zipf);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let rest = chance * sum;
  for (const [at, weight] of weights.entries()) {
    rest -= weight;
    if (rest < 0) return models[at] as string;
  }
  return models.at(-1) as string;
}
