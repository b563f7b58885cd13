import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../../shared/fixtures/ollama/', import.meta.url));

/** Whether the transcripts are there; tests over them count as skipped elsewhere. */
export const hasFixtures = existsSync(folder);

/** One transcript as the index describes it. */
export interface Transcript {
  file: string;
  request: { method: string; path: string; body?: unknown };
  status: number;
  contentType: string | null;
  headers?: Record<string, string>;
}

export const transcripts: readonly Transcript[] = hasFixtures
  ? JSON.parse(readFileSync(`${folder}index.json`, 'utf8')).fixtures
  : [];

/** The bytes of a transcript's body. */
export function transcript(file: string): Buffer {
  return readFileSync(folder + file);
}

/** The request of a transcript as `fetch` takes it. */
export function initOf({ request }: Transcript): RequestInit {
  return {
    method: request.method,
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  };
}
