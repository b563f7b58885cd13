import type { Permission } from '../auth/permissions.ts';

/** What the kit does on a route. */
export type Operation =
  | 'chat'
  | 'generate'
  | 'generate-complete'
  | 'models'
  | 'status'
  | 'health'
  | 'live'
  | 'ready'
  | 'socket'
  | 'ticket'
  | 'me'
  | 'my-limits'
  | 'selftest'
  | KeyOperation
  | QueueOperation;

/** Operations of the routes about keys. */
export type KeyOperation =
  | 'my-keys'
  | 'create-my-key'
  | 'revoke-my-key'
  | 'reroll-my-key'
  | 'keys'
  | 'create-key'
  | 'revoke-key'
  | 'reroll-key'
  | 'revoke-token';

/** Operations of the routes about lines. */
export type QueueOperation =
  | 'my-queue'
  | 'my-place'
  | 'leave-queue'
  | 'queue'
  | 'kick-from-queue'
  | 'reprioritise';

/** One row of the route table. */
export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** Raw path below the mount, compared byte for byte. A part `:id` stands for one id. */
  path: string;
  operation: Operation;
  /** `public` asks nothing of anybody. */
  permission: Permission | 'public';
  /** Members that its query may have. Default none. */
  query?: readonly string[] | undefined;
}

/**
 * Everything the kit answers. A path that is not here goes on to the host app and never to a model server; a row without
 * a permission does not compile.
 */
export const routeTable: readonly Route[] = [
  { method: 'POST', path: '/chat', operation: 'chat', permission: 'chat' },
  { method: 'POST', path: '/generate', operation: 'generate', permission: 'chat' },
  { method: 'POST', path: '/generate-complete', operation: 'generate-complete', permission: 'chat' },
  { method: 'GET', path: '/models', operation: 'models', permission: 'models:read' },
  { method: 'GET', path: '/ws', operation: 'socket', permission: 'chat' },
  { method: 'POST', path: '/ws/ticket', operation: 'ticket', permission: 'chat' },
  { method: 'GET', path: '/status', operation: 'status', permission: 'public' },
  { method: 'GET', path: '/health', operation: 'health', permission: 'public' },
  { method: 'GET', path: '/health/live', operation: 'live', permission: 'public' },
  { method: 'GET', path: '/health/ready', operation: 'ready', permission: 'public' },
  { method: 'GET', path: '/queue', operation: 'my-queue', permission: 'chat' },
  { method: 'GET', path: '/queue/:id', operation: 'my-place', permission: 'chat' },
  { method: 'DELETE', path: '/queue/:id', operation: 'leave-queue', permission: 'chat' },
  { method: 'GET', path: '/me', operation: 'me', permission: 'me:read' },
  { method: 'GET', path: '/me/limits', operation: 'my-limits', permission: 'me:read' },
  {
    method: 'GET',
    path: '/me/keys',
    operation: 'my-keys',
    permission: 'keys:own',
    query: ['after', 'limit'],
  },
  { method: 'POST', path: '/me/keys', operation: 'create-my-key', permission: 'keys:own' },
  { method: 'DELETE', path: '/me/keys/:id', operation: 'revoke-my-key', permission: 'keys:own' },
  { method: 'POST', path: '/me/keys/:id/reroll', operation: 'reroll-my-key', permission: 'keys:own' },
  {
    method: 'GET',
    path: '/admin/keys',
    operation: 'keys',
    permission: 'keys:admin',
    query: ['ownerId', 'after', 'limit'],
  },
  { method: 'POST', path: '/admin/keys', operation: 'create-key', permission: 'keys:admin' },
  { method: 'DELETE', path: '/admin/keys/:id', operation: 'revoke-key', permission: 'keys:admin' },
  { method: 'POST', path: '/admin/keys/:id/reroll', operation: 'reroll-key', permission: 'keys:admin' },
  { method: 'POST', path: '/admin/revocations', operation: 'revoke-token', permission: 'revocations:admin' },
  { method: 'GET', path: '/admin/selftest/stream', operation: 'selftest', permission: 'selftest' },
  { method: 'GET', path: '/admin/queue', operation: 'queue', permission: 'queue:admin' },
  { method: 'DELETE', path: '/admin/queue/:id', operation: 'kick-from-queue', permission: 'queue:admin' },
  { method: 'POST', path: '/admin/queue/:id/priority', operation: 'reprioritise', permission: 'queue:admin' },
];

const byPath = new Map<string, Route[]>();
for (const route of routeTable) byPath.set(route.path, [...(byPath.get(route.path) ?? []), route]);

/** Rows with an id in their path, by a pattern of it. */
const byPattern = [...byPath]
  .filter(([path]) => path.includes(':'))
  .map(([path, rows]) => ({
    pattern: new RegExp(`^${path.replace(':id', '([A-Za-z0-9_-]{1,128})')}$`),
    rows,
  }));

/** The rows of a path; none when it is not the kit's. */
export function routesAt(path: string): readonly Route[] {
  // A path that spells `:id` out is not one of ours.
  const exact = path.includes(':') ? undefined : byPath.get(path);
  return exact ?? byPattern.find(({ pattern }) => pattern.test(path))?.rows ?? [];
}

/** The id in a path that has one. */
export function idIn(path: string): string | undefined {
  for (const { pattern } of byPattern) {
    const id = pattern.exec(path)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

/** The row that answers a method. HEAD is answered where GET is (RFC 9110 §9.3.2). */
export function routeFor(rows: readonly Route[], method: string): Route | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method;
  return rows.find((row) => row.method === wanted);
}

/** The value of `Allow` for a path (RFC 9110 §10.2.1). */
export function allowedMethods(rows: readonly Route[]): string {
  return rows.flatMap((row) => (row.method === 'GET' ? ['GET', 'HEAD'] : [row.method])).join(', ');
}
