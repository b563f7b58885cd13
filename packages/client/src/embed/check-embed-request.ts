import { checkModel, wrong } from '../check-arguments.ts';
import type { EmbedRequest } from './types.ts';

/** @throws {TypeError} when a request for vectors lacks what no server can do without. */
export function checkEmbedRequest({ model, input, batchSize = 1, concurrency = 1 }: EmbedRequest): void {
  checkModel(model);
  const texts: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (texts.length === 0 || !texts.every((text) => typeof text === 'string' && text !== '')) {
    throw wrong('the request', '"input" is not a text or a list of texts; none may be empty');
  }
  for (const [name, value] of Object.entries({ batchSize, concurrency })) {
    if (!Number.isInteger(value) || value < 1) {
      throw wrong('the request', `"${name}" is not a whole number of at least 1`);
    }
  }
}
