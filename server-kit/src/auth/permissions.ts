import type { Principal } from '../kit-types.ts';
import type { Priority } from '../queue/line-job.ts';
import { isNamedBy } from '../upstream/model-pattern.ts';

/** Everything somebody can be allowed to do. API keys call these their scopes. */
export const permissions = [
  /** Generations and embeddings. */
  'chat',
  'models:read',
  /** What I may do and how much is left. */
  'me:read',
  /** My own API keys. */
  'keys:own',
  /** Everybody's API keys. */
  'keys:admin',
  /** Ending tokens before their time. */
  'revocations:admin',
  /** Everybody's place in the lines. */
  'queue:admin',
  /** The stream that shows whether tokens arrive one by one. */
  'selftest',
  /** Counts for Prometheus. */
  'metrics:read',
  /** How the model servers are. */
  'upstreams:read',
  /** Taking one out of use, putting it back, asking it whether it answers. */
  'upstreams:admin',
  /** Bringing models to the model servers; seeing and cancelling that. */
  'models:pull',
  /** Bringing models into memory and taking them out of it. */
  'models:load',
  /** Deleting models from the model servers. */
  'models:delete',
  /** How much is kept of answers, and throwing it away. */
  'cache:admin',
] as const;

/** One thing that somebody can be allowed to do. */
export type Permission = (typeof permissions)[number];

/** What a role gives. */
export interface RoleGrant {
  permissions: readonly Permission[];
  /**
   * The models it gives them for: names, beginnings such as `llama3*`, or `*`. A beginning goes over tags and not over a
   * slash: `llama3*` is not `llama3-friends/model`, and `team/*` is all of `team`. Default `['*']`.
   */
  models?: readonly string[] | undefined;
  /** The most urgent class in the line: `batch` is served when nobody of `interactive` waits. Default `interactive`. */
  priority?: 'interactive' | 'batch' | undefined;
  /** Share of a principal in a line beside others: one with 2 gets twice what one with 1 gets. Default 1. */
  weight?: number | undefined;
}

/** Roles by name. A role that is not here allows nothing. */
export type RoleTable = Readonly<Record<string, RoleGrant>>;

/** The roles of a kit that was told of none. */
export const defaultRoles: RoleTable = {
  user: { permissions: ['chat', 'models:read', 'me:read', 'keys:own'] },
  admin: { permissions },
};

/** What one principal may do, as far as roles, key scopes and key models all say yes. */
export interface Rights {
  may(permission: Permission): boolean;
  /** Whether a permission holds for a model, by its name on the model server. */
  mayUse(permission: Permission, model: string): boolean;
  /** How it stands in a line: the best that any of its roles gives. */
  readonly turn: Turn;
}

/** How urgent a principal's requests may be, and its share beside others. */
export interface Turn {
  priority: Exclude<Priority, 'urgent'>;
  weight: number;
}

/** Somebody who may do nothing. */
export const noRights: Rights = {
  may: () => false,
  mayUse: () => false,
  turn: { priority: 'interactive', weight: 1 },
};

const known = new WeakMap<RoleTable, WeakMap<object, Rights>>();

/** {@link rightsOf} of a principal that may come again as the same object, as those of known tokens do: found out once. */
export function rightsOnce(principal: Readonly<Principal>, table: RoleTable): Rights {
  const ofTable = known.get(table) ?? new WeakMap<object, Rights>();
  known.set(table, ofTable);
  const rights = ofTable.get(principal) ?? rightsOf(principal, table);
  ofTable.set(principal, rights);
  return rights;
}

/**
 * The rights of a principal: what any of its roles grants, cut down to the scopes and models of its key. A pure function
 * of its two arguments; nothing else in the kit says who may do what.
 */
export function rightsOf(
  principal: Pick<Principal, 'roles' | 'scopes' | 'models'>,
  table: RoleTable,
): Rights {
  const grants = principal.roles.flatMap((role) =>
    Object.hasOwn(table, role) ? [table[role] as RoleGrant] : [],
  );
  const { scopes, models } = principal;
  const inScope = (permission: Permission) => scopes === undefined || scopes.includes(permission);
  const isListed = (names: readonly string[] | undefined, model: string) =>
    names === undefined || names.some((name) => isNamedBy(name, model));
  return {
    may: (permission) =>
      inScope(permission) && grants.some((grant) => grant.permissions.includes(permission)),
    mayUse: (permission, model) =>
      inScope(permission) &&
      isListed(models, model) &&
      grants.some((grant) => grant.permissions.includes(permission) && isListed(grant.models, model)),
    turn: turnOf(grants),
  };
}

function turnOf(grants: readonly RoleGrant[]): Turn {
  // Roles that do not give `chat` say nothing about how its requests wait.
  const asking = grants.filter((grant) => grant.permissions.includes('chat'));
  if (asking.length === 0) return noRights.turn;
  return {
    priority: asking.every(({ priority }) => priority === 'batch') ? 'batch' : 'interactive',
    weight: Math.max(...asking.map(({ weight = 1 }) => weight)),
  };
}
