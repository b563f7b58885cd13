import type { Permission } from '../auth/permissions.ts';
import type { SurfaceName } from '../surfaces/surface.ts';
import type { CacheOperation } from './cache-routes.ts';
import type { ModelAdminOperation, PullStreamOperation } from './model-admin-routes.ts';
import type { UpstreamOperation } from './upstream-routes.ts';

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
  | 'metrics'
  | KeyOperation
  | QueueOperation
  | UpstreamOperation
  | ModelAdminOperation
  | PullStreamOperation
  | CacheOperation
  | 'embed'
  | 'version'
  | 'resume-stream'
  | 'stop-stream'
  | ListOperation
  | 'closed';

/** Lists of models in the forms of others. */
export type ListOperation = 'ollama-tags' | 'ollama-ps' | 'ollama-show' | 'openai-models' | 'openai-model';

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

/** What an option can take away, with every route of it: these go on to the host app then. */
export type Feature = 'modelAdmin' | 'metrics' | 'sockets';

/** One row of the route table. */
export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** Raw path below the mount, compared byte for byte. A part `:id`, `:model` or `:digest` stands for one of those. */
  path: string;
  operation: Operation;
  /** `public` asks nothing of anybody. */
  permission: Permission | 'public';
  /** Members that its query may have. Default none. */
  query?: readonly string[] | undefined;
  /** The form of its answers and failures. Default ours. */
  surface?: SurfaceName | undefined;
  /** What it belongs to, where an option can take that away. Default it is always served. */
  feature?: Feature | undefined;
}

const modelAdmin = (
  method: Route['method'],
  path: string,
  operation: ModelAdminOperation | PullStreamOperation,
  permission: Permission,
): Route => ({ feature: 'modelAdmin', method, path, operation, permission });

const on = (
  surface: SurfaceName,
  method: Route['method'],
  path: string,
  operation: Operation,
  permission: Permission,
): Route => ({ surface, method, path, operation, permission });

/** The addresses of other servers, in their forms. */
const foreignRoutes: readonly Route[] = [
  on('ollama', 'POST', '/api/chat', 'chat', 'chat'),
  on('ollama', 'POST', '/api/generate', 'generate', 'chat'),
  on('ollama', 'POST', '/api/embed', 'embed', 'chat'),
  on('ollama', 'POST', '/api/embeddings', 'embed', 'chat'),
  on('ollama', 'GET', '/api/tags', 'ollama-tags', 'models:read'),
  on('ollama', 'GET', '/api/ps', 'ollama-ps', 'models:read'),
  on('ollama', 'POST', '/api/show', 'ollama-show', 'models:read'),
  on('ollama', 'GET', '/api/version', 'version', 'models:read'),
  // What changes models is the administrators' and has addresses of its own: here it is closed to everybody, so that a
  // client gets an answer in its own form instead of one of the host app's.
  on('ollama', 'POST', '/api/pull', 'closed', 'models:read'),
  on('ollama', 'POST', '/api/push', 'closed', 'models:read'),
  on('ollama', 'POST', '/api/create', 'closed', 'models:read'),
  on('ollama', 'POST', '/api/copy', 'closed', 'models:read'),
  on('ollama', 'DELETE', '/api/delete', 'closed', 'models:read'),
  on('ollama', 'GET', '/api/blobs/:digest', 'closed', 'models:read'),
  on('ollama', 'POST', '/api/blobs/:digest', 'closed', 'models:read'),
  on('openai', 'POST', '/v1/chat/completions', 'chat', 'chat'),
  on('openai', 'POST', '/v1/completions', 'generate', 'chat'),
  on('openai', 'POST', '/v1/responses', 'chat', 'chat'),
  on('openai', 'POST', '/v1/embeddings', 'embed', 'chat'),
  on('openai', 'GET', '/v1/models', 'openai-models', 'models:read'),
  on('openai', 'GET', '/v1/models/:model', 'openai-model', 'models:read'),
  on('anthropic', 'POST', '/v1/messages', 'chat', 'chat'),
];

/**
 * Everything the kit answers. A path that is not here goes on to the host app and never to a model server; a row without
 * a permission does not compile.
 */
export const routeTable: readonly Route[] = [
  { method: 'POST', path: '/chat', operation: 'chat', permission: 'chat' },
  { method: 'POST', path: '/generate', operation: 'generate', permission: 'chat' },
  { method: 'POST', path: '/generate-complete', operation: 'generate-complete', permission: 'chat' },
  { method: 'POST', path: '/embed', operation: 'embed', permission: 'chat' },
  { method: 'GET', path: '/models', operation: 'models', permission: 'models:read' },
  { feature: 'sockets', method: 'GET', path: '/ws', operation: 'socket', permission: 'chat' },
  { feature: 'sockets', method: 'POST', path: '/ws/ticket', operation: 'ticket', permission: 'chat' },
  { method: 'GET', path: '/status', operation: 'status', permission: 'public' },
  { method: 'GET', path: '/health', operation: 'health', permission: 'public' },
  { method: 'GET', path: '/health/live', operation: 'live', permission: 'public' },
  { method: 'GET', path: '/health/ready', operation: 'ready', permission: 'public' },
  {
    method: 'GET',
    path: '/streams/:id',
    operation: 'resume-stream',
    permission: 'chat',
    query: ['after'],
  },
  { method: 'DELETE', path: '/streams/:id', operation: 'stop-stream', permission: 'chat' },
  { method: 'GET', path: '/queue', operation: 'my-queue', permission: 'chat' },
  { method: 'GET', path: '/queue/:id', operation: 'my-place', permission: 'chat' },
  { method: 'DELETE', path: '/queue/:id', operation: 'leave-queue', permission: 'chat' },
  { method: 'GET', path: '/version', operation: 'version', permission: 'me:read' },
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
  { feature: 'metrics', method: 'GET', path: '/metrics', operation: 'metrics', permission: 'metrics:read' },
  { method: 'GET', path: '/admin/selftest/stream', operation: 'selftest', permission: 'selftest' },
  { method: 'GET', path: '/admin/queue', operation: 'queue', permission: 'queue:admin' },
  { method: 'DELETE', path: '/admin/queue/:id', operation: 'kick-from-queue', permission: 'queue:admin' },
  { method: 'POST', path: '/admin/queue/:id/priority', operation: 'reprioritise', permission: 'queue:admin' },
  ...foreignRoutes,
  { method: 'GET', path: '/admin/upstreams', operation: 'upstreams', permission: 'upstreams:read' },
  {
    method: 'POST',
    path: '/admin/upstreams/drain',
    operation: 'drain-upstream',
    permission: 'upstreams:admin',
  },
  {
    method: 'POST',
    path: '/admin/upstreams/undrain',
    operation: 'undrain-upstream',
    permission: 'upstreams:admin',
  },
  {
    method: 'POST',
    path: '/admin/upstreams/probe',
    operation: 'probe-upstream',
    permission: 'upstreams:admin',
  },
  modelAdmin('GET', '/admin/models', 'fleet-models', 'upstreams:read'),
  modelAdmin('DELETE', '/admin/models', 'delete-model', 'models:delete'),
  modelAdmin('POST', '/admin/models/pull', 'pull-model', 'models:pull'),
  modelAdmin('POST', '/admin/models/load', 'load-model', 'models:load'),
  modelAdmin('POST', '/admin/models/unload', 'unload-model', 'models:load'),
  modelAdmin('GET', '/admin/jobs', 'pulls', 'models:pull'),
  modelAdmin('GET', '/admin/jobs/:id', 'pull-state', 'models:pull'),
  modelAdmin('DELETE', '/admin/jobs/:id', 'cancel-pull', 'models:pull'),
  modelAdmin('GET', '/admin/jobs/:id/events', 'follow-pull', 'models:pull'),
  { method: 'GET', path: '/admin/cache', operation: 'cache', permission: 'cache:admin' },
  { method: 'POST', path: '/admin/cache/purge', operation: 'purge-cache', permission: 'cache:admin' },
];

const byPath = new Map<string, Route[]>();
for (const route of routeTable) byPath.set(route.path, [...(byPath.get(route.path) ?? []), route]);

/** What may stand for a part of a path. None of it can be a dot segment. */
const placeholders: Readonly<Record<string, string>> = {
  id: '[A-Za-z0-9_-]{1,128}',
  model: '[A-Za-z0-9][A-Za-z0-9_:.-]{0,127}(?:/[A-Za-z0-9][A-Za-z0-9_:.-]{0,127}){0,3}',
  digest: 'sha256[:-][a-f0-9]{64}',
};

/** Rows with an id in their path, by a pattern of it. */
const byPattern = [...byPath]
  .filter(([path]) => path.includes(':'))
  .map(([path, rows]) => ({
    pattern: new RegExp(`^${path.replace(/:([a-z]+)/, (_, name: string) => `(${placeholders[name]})`)}$`),
    rows,
  }));

/** Rows of paths that stand for themselves alone. */
const byExactPath: ReadonlyMap<string, readonly Route[]> = new Map(
  [...byPath].filter(([path]) => !path.includes(':')),
);

/** The rows of a path; none when it is not the kit's. */
export function routesAt(path: string): readonly Route[] {
  return byExactPath.get(path) ?? byPattern.find(({ pattern }) => pattern.test(path))?.rows ?? [];
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
  for (const row of rows) if (row.method === wanted) return row;
  return undefined;
}

/** The value of `Allow` for a path (RFC 9110 §10.2.1). */
export function allowedMethods(rows: readonly Route[]): string {
  return rows.flatMap((row) => (row.method === 'GET' ? ['GET', 'HEAD'] : [row.method])).join(', ');
}
