import { fetchInProcess } from './http/in-process.ts';
import { BlobStore } from './ollama/blob-store.ts';
import { Catalog } from './ollama/catalog.ts';
import { layersOf } from './ollama/layers.ts';
import { canonicalName } from './ollama/model-name.ts';
import { Scheduler } from './ollama/scheduler.ts';
import type { Handle, Incoming, Outgoing, World } from './ollama/world.ts';
import { Recorder } from './recorder.ts';
import { ScriptBook } from './script/script-book.ts';
import type { Settings } from './settings.ts';
import type { Fake, FakeReport } from './types.ts';
import { waitFor } from './wait-for.ts';

/** What a server in front of a stand-in needs of it. */
export interface InnerDoor {
  handle: Handle;
  /** Ends every open request and frees all memory; report and scripts stay. */
  stop: () => void;
  world: World;
}

const innerDoors = new WeakMap<Fake, InnerDoor>();

export function innerDoorOf(fake: Fake): InnerDoor {
  const door = innerDoors.get(fake);
  if (!door)
    throw new TypeError('This stand-in was made by neither createFakeOllama() nor createFakeOpenAI().');
  return door;
}

/** A stand-in with everything but its routes. */
export function createFake(
  settings: Settings,
  completionPaths: readonly string[],
  answer: (world: World, incoming: Incoming) => Promise<Outgoing>,
): Fake {
  const { clock } = settings;
  const recorder = new Recorder(() => clock.now());
  const scheduler = new Scheduler({ ...settings, onChange: () => recorder.changed() });
  const originMs = Date.now() - clock.now();
  const catalog = new Catalog(settings.models, Date.now(), settings.registry);
  const blobs = new BlobStore(clock, settings.pullBytesPerSecond);
  for (const layer of catalog.inOrder().flatMap(layersOf)) blobs.put(layer.digest, layer.sizeBytes);
  const world: World = {
    ...settings,
    catalog,
    blobs,
    scheduler,
    scripts: new ScriptBook(canonicalName, completionPaths),
    wallTime(clockMs) {
      const ms = originMs + clockMs;
      const epochMs = Math.floor(ms);
      return { epochMs, extraNanoseconds: Math.floor((ms - epochMs) * 1e6) };
    },
  };
  const report = (): FakeReport => {
    const requests = recorder.requests;
    return {
      requests,
      openGenerations: scheduler.running,
      waiting: scheduler.waiting,
      disconnects: requests.filter((request) => request.disconnectedAt !== undefined),
      loaded: scheduler.loaded().map((runner) => runner.model.shortName),
    };
  };
  let life = new AbortController();
  const stop = () => {
    recorder.endOpen();
    life.abort();
    life = new AbortController();
    scheduler.reset();
  };

  const handle: Handle = async (request) => {
    const seen = recorder.begin(request.method, request.path, request.headers);
    const signal = AbortSignal.any([request.signal, life.signal]);
    const onLeave = () => seen.disconnect();
    request.signal.addEventListener('abort', onLeave, { once: true });
    let bytes: Promise<Uint8Array<ArrayBuffer>> | undefined;
    const readBytes = () => {
      bytes ??= request.readBytes();
      return bytes;
    };
    try {
      const outgoing = await answer(world, {
        ...request,
        signal,
        readBytes,
        async readText() {
          const text = new TextDecoder().decode(await readBytes());
          seen.body(text);
          return text;
        },
        onRecord: () => seen.record(),
        onComplete: () => seen.end(),
      });
      seen.firstByte();
      if (typeof outgoing.body === 'string' && !outgoing.wire) seen.end();
      return outgoing;
    } catch (cause) {
      if (!request.signal.aborted) seen.end();
      throw cause;
    }
  };

  const fake: Fake = {
    fetch: (input, init) => fetchInProcess(handle, world.scripts, input, init),
    script(steps, match = {}) {
      world.scripts.add('kind' in steps ? [steps] : steps, match);
    },
    report,
    reset() {
      stop();
      world.scripts.clear();
      recorder.clear();
    },
    waitFor: (condition, timeoutMs = 5000) => waitFor(recorder, report, condition, timeoutMs),
  };
  innerDoors.set(fake, { handle, stop, world });
  return fake;
}
