import { expect, test } from 'vitest';
import { until } from '../stream-harness.ts';
import { administer, chatAs, type Fleet, isWhole, startFleet } from './fleet.ts';

/** Somebody asks a model; what is in memory is looked at before the next one does. */
async function ask(fleet: Fleet, ...models: string[]) {
  for (const model of models) {
    fleet.clock.advance(1100);
    expect(isWhole(await chatAs(fleet, 'ada', { model }))).toBe(true);
    // A look in the background is on its way, too.
    await until(() => fleet.kit.gauges().openUpstream === 0);
  }
}

async function inMemory({ gpus }: Fleet, at: number): Promise<string[]> {
  const list = (await (await fetch(`${gpus[at]?.url}/api/ps`)).json()) as { models: { name: string }[] };
  return list.models.map(({ name }) => name.replace(':latest', '')).sort();
}

/** What the kit has asked the first machine to let go of. */
function takenOut({ gpus }: Fleet): unknown[] {
  const bodies =
    gpus[0]?.fake.report().requests.map(({ body }) => body as Record<string, unknown> | null) ?? [];
  return bodies.filter((body) => body?.['keep_alive'] === 0).map((body) => body?.['model']);
}

/** Two machines that hold two models each, of which one is used. A model has gone from it once: its room is known. */
async function startFull(): Promise<Fleet> {
  const fleet = await startFleet(2, { ollama: { maxLoadedModels: 2, loadMs: 1 } });
  await administer(fleet, 'drain', 'gpu-1');
  await ask(fleet, 'stand-in', 'stand-in-thinking', 'stand-in-vision', 'stand-in-vision');
  expect(await inMemory(fleet, 0)).toEqual(['stand-in-thinking', 'stand-in-vision']);
  return fleet;
}

test('the model that is missed least goes, not the one that the server would take', async () => {
  const fleet = await startFull();
  // Left alone the server takes the first of two that are kept equally long: the one that was loaded before the other.
  await ask(fleet, 'stand-in-thinking', 'stand-in');
  expect(await inMemory(fleet, 0)).toEqual(['stand-in', 'stand-in-thinking']);
  expect(takenOut(fleet)).toEqual(['stand-in-vision:latest']);
});

test('a model that an administrator keeps is not taken out', async () => {
  const fleet = await startFull();
  const token = await fleet.token({ sub: 'root', roles: ['admin'] });
  const body = { model: 'stand-in-vision', hosts: ['gpu-0'], keep_alive: -1 };
  expect((await fleet.answer('/admin/models/load', { token, body })).status).toBe(200);
  await ask(fleet, 'stand-in-thinking', 'stand-in');
  expect(await inMemory(fleet, 0)).toEqual(['stand-in', 'stand-in-vision']);
});

test('where every model is kept none is taken out: the server decides what it does', async () => {
  const fleet = await startFull();
  const token = await fleet.token({ sub: 'root', roles: ['admin'] });
  for (const model of ['stand-in-vision', 'stand-in-thinking']) {
    const body = { model, hosts: ['gpu-0'], keep_alive: -1 };
    expect((await fleet.answer('/admin/models/load', { token, body })).status).toBe(200);
  }
  await ask(fleet, 'stand-in-thinking', 'stand-in');
  expect(takenOut(fleet)).toEqual([]);
});
