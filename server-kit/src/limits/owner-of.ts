import { hash } from 'node:crypto';
import type { Principal } from '../kit-types.ts';
import { addressKey } from './address-key.ts';
import type { Rule } from './limit-rules.ts';

const maxKeyLength = 200;
const maxKnown = 1000;

/** Who and what a request is, as far as it is known. */
export interface LimitSubject {
  address: string;
  principal?: Principal | undefined;
  model?: string | undefined;
}

/** Whose budget it is; `undefined` where there is no such thing. */
export function ownerOf(rule: Rule, { address, principal, model }: LimitSubject): string | undefined {
  switch (rule.per) {
    case 'address':
      return addressKey(address);
    case 'user':
      return principal && short(principal.id);
    case 'key':
      return principal?.keyId;
    case 'tenant':
      return principal?.tenant === undefined ? undefined : short(principal.tenant);
    case 'model':
      return model === undefined ? undefined : short(model.toLowerCase());
    case 'global':
      return '';
  }
}

/** Long names are hashed, so that nobody fills a store with them. The parts before hold no colon: no two keys are one. */
function short(name: string): string {
  const known = shorts.get(name);
  if (known !== undefined) return known;
  if (shorts.size >= maxKnown) shorts.clear();
  const made = name.length <= maxKeyLength ? `=${name}` : hash('sha256', name, 'base64url');
  shorts.set(name, made);
  return made;
}

/** The last ones. */
const shorts = new Map<string, string>();
