import { HttpError } from '../errors/http-error.ts';
import { ZiggieError } from '../errors/ziggie-error.ts';
import type { AdminTask } from './routes.ts';

const words: Readonly<Record<AdminTask, string>> = {
  pull: 'Pulling a model',
  push: 'Pushing a model',
  create: 'Creating a model',
  copy: 'Copying a model',
  delete: 'Deleting a model',
  show: 'Showing a model',
  load: 'Loading a model',
  unload: 'Unloading a model',
  blobs: 'Keeping files for new models',
  fleet: 'Listing models by server',
  pulls: 'Listing pulls',
};

/** The error for a task that a kind of server has no route for. Nothing was sent. */
export function refusal(target: string, task: AdminTask): ZiggieError {
  const server =
    target === 'kit' ? 'the kit' : target === 'ollama' ? 'Ollama itself' : 'an OpenAI-compatible server';
  const instead = target === 'ollama' ? 'the kit, with target "kit"' : 'Ollama itself, with target "ollama"';
  return new ZiggieError(
    'capability_unsupported',
    `${words[task]}: ${server} has no route for it. Talk to ${instead}.`,
  );
}

/** Says what a 404 of the kit's administration means: a route that is not there, not a model. */
export function explained(error: unknown, target: string): unknown {
  if (target === 'kit' && error instanceof HttpError && error.code === 'not_found' && !error.problem) {
    error.message += '. This kit does not serve the administration of models; its operator can allow it.';
  }
  return error;
}
