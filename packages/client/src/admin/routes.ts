import type { Method } from '../http/transport.ts';

/** What can be asked of a server about its models. */
export type AdminTask =
  | 'pull'
  | 'push'
  | 'create'
  | 'copy'
  | 'delete'
  | 'show'
  | 'load'
  | 'unload'
  | 'blobs'
  | 'fleet'
  | 'pulls';

export interface AdminRoute {
  method: Method;
  path: string;
}

const ollama: Readonly<Partial<Record<AdminTask, AdminRoute>>> = {
  pull: { method: 'POST', path: '/api/pull' },
  push: { method: 'POST', path: '/api/push' },
  create: { method: 'POST', path: '/api/create' },
  copy: { method: 'POST', path: '/api/copy' },
  delete: { method: 'DELETE', path: '/api/delete' },
  show: { method: 'POST', path: '/api/show' },
  load: { method: 'POST', path: '/api/generate' },
  unload: { method: 'POST', path: '/api/generate' },
  blobs: { method: 'POST', path: '/api/blobs' },
};

/** The kit names each task in its path, so that its route table can name the permission. It serves no other. */
const kit: Readonly<Partial<Record<AdminTask, AdminRoute>>> = {
  pull: { method: 'POST', path: '/admin/models/pull' },
  delete: { method: 'DELETE', path: '/admin/models' },
  load: { method: 'POST', path: '/admin/models/load' },
  unload: { method: 'POST', path: '/admin/models/unload' },
  fleet: { method: 'GET', path: '/admin/models' },
  pulls: { method: 'GET', path: '/admin/jobs' },
};

/** Where a server takes a task, or `undefined` when it has no route for it. */
export function routeFor(target: string, task: AdminTask): AdminRoute | undefined {
  return target === 'ollama' ? ollama[task] : target === 'kit' ? kit[task] : undefined;
}
