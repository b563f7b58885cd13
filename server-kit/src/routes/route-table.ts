/** What a caller must be allowed to do. `public` asks nothing of anybody. */
export type Permission = 'public' | 'chat' | 'models:read';

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
  | 'ticket';

/** One row of the route table. */
export interface Route {
  method: 'GET' | 'POST';
  /** Raw path below the mount, compared byte for byte. */
  path: string;
  operation: Operation;
  permission: Permission;
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
];

const byPath = new Map<string, Route[]>();
for (const route of routeTable) byPath.set(route.path, [...(byPath.get(route.path) ?? []), route]);

/** The rows of a path; none when it is not the kit's. */
export function routesAt(path: string): readonly Route[] {
  return byPath.get(path) ?? [];
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
