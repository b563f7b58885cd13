/** Each entry brings a record of its version to the next one. */
const steps: Readonly<Record<number, (record: Record<string, unknown>) => Record<string, unknown>>> = {
  // Version 1 knew neither deletions nor a queue, and nothing that a list of conversations shows.
  1: (record) => ({
    ...record,
    version: 2,
    pinned: false,
    archived: false,
    removed: [],
    queue: [],
    cut: null,
    detailsAt: record['updatedAt'],
  }),
};

/** The record in the form of `version`; `null` when its own version is none that was ever written. The argument stays as it is. */
export function migrateRecord(
  record: Record<string, unknown>,
  version: number,
): Record<string, unknown> | null {
  let current = record;
  while (current['version'] !== version) {
    const from = current['version'];
    const step = typeof from === 'number' && Object.hasOwn(steps, from) ? steps[from] : undefined;
    if (step === undefined) return null;
    current = step(current);
  }
  return current;
}
