import { HttpFailure } from './http-failure.ts';
import type { World } from './world.ts';

/** Where Ollama sends those who are not signed in. */
export const SIGN_IN_URL = 'https://ollama.com/connect?name=stand-in&key=c3RhbmQtaW4';

/** Whether the name asks for a model in the cloud: tag `cloud`, or a tag that ends in `-cloud`. */
export function isCloudName(name: string): boolean {
  return /:(?:.*-)?cloud$/i.test(name);
}

/**
 * The stand-in has no cloud behind it: it is switched off, or nobody is signed in.
 *
 * @throws {HttpFailure} 403 or 401, worded as on the native routes everywhere.
 */
export function refuseCloud(world: World, name: string, what = 'remote model is unavailable'): void {
  if (!isCloudName(name)) return;
  if (world.cloudDisabled) {
    throw new HttpFailure(403, `ollama cloud is disabled: ${what}`, { native: true });
  }
  if (!world.catalog.find(name)) throw notSignedIn();
}

export function notSignedIn(): HttpFailure {
  return new HttpFailure(401, 'unauthorized', { native: true, members: { signin_url: SIGN_IN_URL } });
}
