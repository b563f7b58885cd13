import type { Permission } from '../routes/route-table.ts';

/** What each role may do. A role that is not here may do nothing. */
const rolePermissions: ReadonlyMap<string, ReadonlySet<Permission>> = new Map([
  ['user', new Set<Permission>(['chat', 'models:read'])],
  ['admin', new Set<Permission>(['chat', 'models:read'])],
]);

/** Whether somebody with these roles may do it. Nothing is allowed that no role grants. */
export function isAllowed(roles: readonly string[], permission: Permission): boolean {
  return permission === 'public' || roles.some((role) => rolePermissions.get(role)?.has(permission) === true);
}
