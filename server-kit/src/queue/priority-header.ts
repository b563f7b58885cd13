import type { Turn } from '../auth/permissions.ts';
import { KitFailure } from '../failure.ts';

/**
 * The class that `X-Ziggie-Priority` asks for, cut down to what the role has. Without the header it is the role's own.
 *
 * @throws {KitFailure} `bad_request` for a word that is none.
 */
export function priorityOf(header: string | null, { priority }: Turn): Turn['priority'] {
  if (header === null) return priority;
  if (header !== 'interactive' && header !== 'batch') {
    throw new KitFailure('bad_request', 'X-Ziggie-Priority is neither "interactive" nor "batch".');
  }
  return priority === 'batch' ? 'batch' : header;
}
