import type { Script } from '../script/step-types.ts';
import { bodyFaults } from './body.ts';
import { connectFaults } from './connect.ts';
import type { FaultEntry, FaultInfo } from './fault-types.ts';
import { headerFaults } from './headers.ts';
import { otherFaults } from './others.ts';
import { recordFaults } from './records.ts';

const entries: ReadonlyMap<string, FaultEntry> = new Map(
  Object.entries({ ...connectFaults, ...headerFaults, ...bodyFaults, ...recordFaults, ...otherFaults }).sort(
    ([a], [b]) => (a < b ? -1 : 1),
  ),
);

/** All faults by number, those that a stand-in cannot play too. */
export const faults: readonly FaultInfo[] = [...entries].map(([id, entry]) => ({
  id,
  what: entry.what,
  side: entry.side,
  socketOnly: entry.socketOnly ?? false,
  partial: entry.partial ?? '',
  variants: Object.keys(entry.variants ?? {}),
}));

/**
 * The script of a fault by its number, `F001` to `F124`: `fake.script(fault('F036'))`. It is the same for every dialect.
 *
 * @param variant One of the fault's variants; default the first. `faults` lists them.
 * @throws {RangeError} for a number or a variant that is not there, and for a fault that is not the upstream's doing.
 */
export function fault(id: string, variant?: string): Script {
  const entry = entries.get(id);
  if (!entry)
    throw new RangeError(`fault("${id}"): there is none of that number. They go from F001 to F124.`);
  const variants = entry.variants ?? {};
  const names = Object.keys(variants);
  const first = names[0];
  if (first === undefined) {
    throw new RangeError(
      `fault("${id}"): "${entry.what}" is not the upstream's doing (${entry.side}), so no stand-in can play it.`,
    );
  }
  const make = Object.hasOwn(variants, variant ?? first) ? variants[variant ?? first] : undefined;
  if (!make) {
    throw new RangeError(`fault("${id}", "${variant}"): its variants are ${names.join(', ')}.`);
  }
  return make();
}
