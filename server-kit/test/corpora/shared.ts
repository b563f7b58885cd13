import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../../shared/corpora/', import.meta.url));

/** Whether the lists of attacks stand beside this checkout; tests over them count as skipped elsewhere. */
export const hasCorpora = existsSync(folder);

/** One list, empty where there is none. */
export function corpus(name: string): Record<string, Record<string, string>[]> {
  return hasCorpora ? JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')) : {};
}

/** What is otherwise here than a list expects, on purpose, with the reason. */
export const expectations = JSON.parse(
  readFileSync(new URL('./expectations.json', import.meta.url), 'utf8'),
) as Record<string, { reason: string; cases: string[] }>;

/** Whether a case is named under one of the reasons. */
export function isExpected(reason: string, id: string): boolean {
  return (
    expectations[reason]?.cases.some(
      (one) => id === one || (one.endsWith('*') && id.startsWith(one.slice(0, -1))),
    ) === true
  );
}
