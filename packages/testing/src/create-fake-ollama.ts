import { fetchInProcess } from './http/in-process.ts';
import { Catalog } from './ollama/catalog.ts';
import { canonicalName } from './ollama/model-name.ts';
import { answer } from './ollama/router.ts';
import { Scheduler } from './ollama/scheduler.ts';
import type { Handle, World } from './ollama/world.ts';
import { Recorder } from './recorder.ts';
import { ScriptBook } from './script/script-book.ts';
import { readSettings } from './settings.ts';
import type { FakeOllama, FakeOllamaOptions, FakeReport } from './types.ts';
import { waitFor } from './wait-for.ts';

/** What a server in front of a stand-in needs of it. */
export interface InnerDoor {
  handle: Handle;
  /** Ends every open request and frees all memory; report and scripts stay. */
  stop: () => void;
}

const innerDoors = new WeakMap<FakeOllama, InnerDoor>();

export function innerDoorOf(fake: FakeOllama): InnerDoor {
  const door = innerDoors.get(fake);
  if (!door) throw new TypeError('This stand-in was not made by createFakeOllama().');
  return door;
}

/**
 * A stand-in for Ollama in process: routes, scheduler and wire form are those of Ollama, the answers are prepared texts.
 *
 * @throws {TypeError} for a model name that Ollama would refuse.
 * @throws {RangeError} for a setting with which nothing would ever be answered.
 */
export function createFakeOllama(options: FakeOllamaOptions = {}): FakeOllama {
  const settings = readSettings(options);
  const { clock } = settings;
  const recorder = new Recorder(() => clock.now());
  const scheduler = new Scheduler({ ...settings, onChange: () => recorder.changed() });
  const originMs = Date.now() - clock.now();
  const world: World = {
    ...settings,
    catalog: new Catalog(settings.models, Date.now()),
    scheduler,
    scripts: new ScriptBook(canonicalName),
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
    try {
      const outgoing = await answer(world, {
        ...request,
        signal,
        async readText() {
          const text = await request.readText();
          seen.body(text);
          return text;
        },
        onRecord: () => seen.record(),
        onComplete: () => seen.end(),
      });
      seen.firstByte();
      if (typeof outgoing.body === 'string') seen.end();
      return outgoing;
    } catch (cause) {
      if (!request.signal.aborted) seen.end();
      throw cause;
    }
  };

  const fake: FakeOllama = {
    fetch: (input, init) => fetchInProcess(handle, input, init),
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
  innerDoors.set(fake, { handle, stop });
  return fake;
}
