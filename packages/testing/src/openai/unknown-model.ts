import { HttpFailure } from '../ollama/http-failure.ts';
import type { Profile } from './profile.ts';

/** In each server's own words. */
export function unknownModel(profile: Profile['name'], name: string): HttpFailure {
  if (profile === 'openai') {
    return new HttpFailure(404, `The model \`${name}\` does not exist or you do not have access to it.`, {
      code: 'model_not_found',
    });
  }
  return new HttpFailure(404, `The model \`${name}\` does not exist.`, { param: 'model' });
}
