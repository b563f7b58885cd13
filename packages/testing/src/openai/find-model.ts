import type { InstalledModel } from '../ollama/catalog.ts';
import { HttpFailure } from '../ollama/http-failure.ts';
import type { World } from '../ollama/world.ts';
import type { OpenAiServer } from './server.ts';
import { unknownModel } from './unknown-model.ts';

/** The model that was asked for; llama.cpp serves one and takes any name for it. */
export function findModel({ profile }: OpenAiServer, world: World, given: unknown): InstalledModel {
  const list = world.catalog.inOrder();
  if (profile.name === 'llama.cpp') {
    const named = typeof given === 'string' ? world.catalog.find(given) : undefined;
    const model = named ?? list[0];
    if (model) return model;
  }
  if (typeof given !== 'string' || given === '') {
    throw new HttpFailure(400, 'you must provide a model parameter');
  }
  const model = list.find((other) => other.displayName === given);
  if (!model) throw unknownModel(profile.name, given);
  return model;
}
