import * as z from 'zod';
import { type Permission, permissions, type Rights, type RoleTable } from '../auth/permissions.ts';
import type { Revocations } from '../auth/revocations.ts';
import type { Clock } from '../clock.ts';
import type { Connection } from '../connection.ts';
import type { RequestContext } from '../context.ts';
import { asFailure, KitFailure } from '../failure.ts';
import { noKeys } from '../keys/key-manager.ts';
import type { Keys } from '../keys/keys.ts';
import type { Principal } from '../kit-types.ts';
import { asUnavailable } from '../limits/limit-failure.ts';
import { leftOf } from '../request/direct-request.ts';
import { parse } from '../request/parse.ts';
import { readJsonBody } from '../request/read-body.ts';
import { pathOf, queryOf } from '../request/target.ts';
import { modelPattern } from '../upstream/model-pattern.ts';
import type { JsonAnswer } from './info-routes.ts';
import type { KeyOperation } from './route-table.ts';
import { idIn } from './route-table.ts';

const maxBodyBytes = 16 * 1024;
const dayMs = 86_400_000;
const defaultScopes: readonly Permission[] = ['chat', 'models:read', 'me:read'];

/** What the routes about keys need of the kit. */
export interface KeyParts {
  keys: Keys;
  revocations: Revocations;
  roles: RoleTable;
  clock: Clock;
}

const name = z.string().max(100).optional();
const names = z.array(z.string().min(1).max(256)).max(64);
const lifetimeDays = z.number().positive().max(3650).optional();
const scopes = z.array(z.enum(permissions)).min(1).optional();

const ownKey = z.strictObject({
  name,
  scopes,
  models: z.array(modelPattern).min(1).max(64).optional(),
  lifetimeDays,
});
const anyKey = z.strictObject({
  ...ownKey.shape,
  ownerId: z.string().min(1).max(256),
  tenant: z.string().min(1).max(256).optional(),
  roles: names,
});
const reroll = z.strictObject({ graceSeconds: z.int().min(0).max(2_592_000).optional() });
const revocation = z.union(
  [
    z.strictObject({ token: z.string().min(1).max(8192) }),
    z.strictObject({ issuer: z.string().min(1), tokenId: z.string().min(1) }),
    z.strictObject({ principalId: z.string().min(1).max(256) }),
  ],
  { error: 'give token, or issuer and tokenId, or principalId' },
);

/**
 * The routes about API keys and ended tokens. Those under `/me` see the caller's own keys and no others: somebody else's
 * is not there.
 *
 * @throws {KitFailure}
 */
export async function keyRoute(
  parts: KeyParts,
  operation: KeyOperation,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<JsonAnswer> {
  const principal = context.principal as Principal;
  const own = operation === 'my-keys' || operation.endsWith('-my-key');
  const ownerId = own ? principal.id : undefined;
  const body = async <T>(schema: z.ZodType<T>) => {
    const { value } = await readJsonBody(request, connection, maxBodyBytes, leftOf(request));
    return parse(schema, value);
  };
  if (operation === 'revoke-token') {
    const what = await body(revocation);
    await stored(parts.revocations.revoke(what));
    return { status: 204, body: undefined };
  }
  if (parts.keys === noKeys) throw new KitFailure('not_found', 'This server has no API keys.');
  switch (operation) {
    case 'my-keys':
    case 'keys':
      return { status: 200, body: await list(parts.keys, connection.target, ownerId) };
    case 'create-my-key': {
      const wanted = await body(ownKey);
      const { id, roles, tenant } = principal;
      return created(
        await create(parts, context.rights, principal, { ...wanted, ownerId: id, roles: [...roles], tenant }),
      );
    }
    case 'create-key':
      return created(await create(parts, context.rights, principal, await body(anyKey)));
    case 'revoke-my-key':
    case 'revoke-key': {
      const ended = await stored(parts.keys.revoke(idOf(connection), { ownerId }));
      if (!ended) throw noSuchKey();
      return { status: 200, body: ended };
    }
    case 'reroll-my-key':
    case 'reroll-key': {
      const { graceSeconds } = await body(reroll);
      const rerolled = await stored(parts.keys.reroll(idOf(connection), { ownerId, graceSeconds }));
      if (!rerolled) throw noSuchKey();
      return { status: 200, body: rerolled };
    }
  }
}

type Wanted = z.infer<typeof anyKey>;

/**
 * Makes a key that can do no more than its maker: every permission it would have, the maker has, for every model it would
 * have it for, and it does not outlive a maker that is a key itself.
 */
async function create(
  { keys, roles: table, clock }: KeyParts,
  rights: Rights,
  maker: Principal,
  wanted: Wanted,
) {
  const scopes = wanted.scopes ?? defaultScopes.filter((scope) => rights.may(scope));
  const beyond = scopes.filter((scope) => !rights.may(scope));
  const models = wanted.models ?? maker.models;
  const foreign = (models ?? []).filter(
    (model) => maker.models !== undefined && !maker.models.includes(model),
  );
  if (beyond.length > 0 || foreign.length > 0 || widens(wanted, maker, table)) {
    throw new KitFailure(
      'forbidden',
      'A key cannot do more than who makes it. Ask for fewer scopes, models or roles.',
      {
        reason: 'key beyond its maker',
      },
    );
  }
  const now = clock.wallNow();
  const endsAt = wanted.lifetimeDays === undefined ? undefined : now + wanted.lifetimeDays * dayMs;
  const makerEnds = maker.keyId === undefined ? undefined : maker.expiresAtMs;
  const last = Math.min(endsAt ?? Number.POSITIVE_INFINITY, makerEnds ?? Number.POSITIVE_INFINITY);
  return stored(
    keys.create({
      ownerId: wanted.ownerId,
      roles: wanted.roles,
      tenant: wanted.tenant,
      name: wanted.name,
      scopes,
      models,
      expiresAt: Number.isFinite(last) ? new Date(last) : undefined,
    }),
  );
}

/** Whether roles that the maker lacks would open models that its own do not. */
function widens({ roles }: Wanted, maker: Principal, table: RoleTable): boolean {
  const others = roles.filter((role) => !maker.roles.includes(role));
  const models = (role: string) => (Object.hasOwn(table, role) ? (table[role]?.models ?? ['*']) : []);
  const own = maker.roles.flatMap(models);
  return !own.includes('*') && others.flatMap(models).some((model) => !own.includes(model));
}

async function list(keys: Keys, target: string, own: string | undefined) {
  const { ownerId, after, limit } = queryOf(target);
  const count = limit === undefined ? undefined : Number(limit);
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= 1000)) {
    throw new KitFailure('bad_request', 'limit must be a whole number from 1 to 1000.');
  }
  return stored(keys.list({ ownerId: own ?? ownerId, after, limit: count }));
}

function created(key: unknown): JsonAnswer {
  return { status: 201, body: key };
}

function idOf(connection: Connection): string {
  return idIn(pathOf(connection.target)) ?? '';
}

function noSuchKey(): KitFailure {
  return new KitFailure('not_found', 'There is no such API key of yours.');
}

/** What a store does; its failures are not the caller's. */
async function stored<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    // Wrong arguments are a mistake of this file, not of a store.
    throw thrown instanceof TypeError ? asFailure(thrown) : asUnavailable(thrown);
  }
}
