import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the transcripts are, when this checkout has them beside it. */
const folder = fileURLToPath(new URL('../../../../shared/fixtures/ollama/', import.meta.url));

/** Whether the transcripts are there; tests over them count as skipped elsewhere. */
export const hasFixtures = existsSync(folder);

/** The bytes of a transcript, as on the wire. */
export function fixture(name: string): Buffer {
  return readFileSync(folder + name);
}

/** Names of the transcripts that fit. */
export function fixtures(pattern: RegExp): string[] {
  return hasFixtures ? readdirSync(folder).filter((name) => pattern.test(name)) : [];
}
