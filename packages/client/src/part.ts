import { ConnectionError } from './errors/connection-error.ts';

/**
 * A part of this package that most pages never need, or not at once. Bundlers put it into a file of its own.
 *
 * @throws {ConnectionError} when that file cannot be fetched; the next use tries again.
 */
export function part<T>(load: () => Promise<T>): Promise<T> {
  return load().catch((cause: unknown) => {
    throw new ConnectionError('Loading code failed. Is the page offline, or replaced?', {
      cause,
    });
  });
}
