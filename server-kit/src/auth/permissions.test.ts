import { expect, test } from 'vitest';
import { defaultRoles, permissions, type RoleTable, rightsOf } from './permissions.ts';

const table: RoleTable = {
  small: { permissions: ['chat'], models: ['a'] },
  wide: { permissions: ['models:read'] },
};

test.each([
  // roles, scopes, models, then what chat with a and b and reading b come to
  [['small'], undefined, undefined, true, false, false],
  [['wide'], undefined, undefined, false, false, true],
  // A model of one role is none for the permission of another.
  [['small', 'wide'], undefined, undefined, true, false, true],
  [['small', 'wide'], ['models:read'], undefined, false, false, true],
  [['small', 'wide'], [], undefined, false, false, false],
  [['small', 'wide'], undefined, ['a'], true, false, false],
  [['small', 'wide'], undefined, [], false, false, false],
  [['constructor', '__proto__', 'toString'], undefined, undefined, false, false, false],
  [[], undefined, undefined, false, false, false],
] as const)('roles %j, scopes %j, models %j', (roles, scopes, models, chatA, chatB, readB) => {
  const rights = rightsOf({ roles, scopes, models }, table);
  expect(rights.mayUse('chat', 'a:latest')).toBe(chatA);
  expect(rights.mayUse('chat', 'b')).toBe(chatB);
  expect(rights.mayUse('models:read', 'b')).toBe(readB);
});

test('nobody has a permission that no role of the default table names, and admin has all', () => {
  expect(permissions.filter((one) => rightsOf({ roles: ['admin'] }, defaultRoles).may(one))).toEqual(
    permissions,
  );
  expect(permissions.filter((one) => rightsOf({ roles: ['user'] }, defaultRoles).may(one))).toEqual([
    'chat',
    'models:read',
    'me:read',
    'keys:own',
  ]);
});
