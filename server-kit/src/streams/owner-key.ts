import { hash } from 'node:crypto';
import type { Principal } from '../kit-types.ts';

/** Whose a stream is: the same for one principal of one tenant, whatever credential it came with, and nobody else. */
export function ownerKeyOf({ id, tenant }: Pick<Principal, 'id' | 'tenant'>): string {
  return hash('sha256', JSON.stringify([tenant ?? null, id]), 'base64url');
}
