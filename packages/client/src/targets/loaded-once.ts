import { part } from '../part.ts';
import type { Reports, Speech, Target } from './target.ts';

/** A dialect in a file of its own: at hand from the second question on. */
export function loadedOnce(
  load: () => Promise<{ dialect: Speech & Reports }>,
): Pick<Target, 'speech' | 'reports'> {
  let dialect: (Speech & Reports) | undefined;
  const reports = async (): Promise<Speech & Reports> => (dialect ??= (await part(load)).dialect);
  return { speech: () => dialect ?? reports(), reports };
}
