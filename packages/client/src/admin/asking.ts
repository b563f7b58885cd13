import type { TargetName } from '../targets/target.ts';
import { type AdminTask, routeFor } from './routes.ts';
import type { HostOptions } from './types.ts';

/** The route of a task, where there is one; only a kit has several servers to choose from. */
export function takes(target: TargetName, task: AdminTask, { hosts }: HostOptions) {
  return hosts !== undefined && target !== 'kit' ? undefined : routeFor(target, task);
}

/** @throws {TypeError} when it is not the name of a model. */
export function checkName(model: unknown): void {
  if (typeof model !== 'string' || model === '') {
    throw new TypeError('Reading the request: "model" is not the name of a model.');
  }
}

export function hostsOf({ hosts }: HostOptions): HostOptions {
  return hosts === undefined ? {} : { hosts };
}
