/**
 * Works on a list in batches, at most `concurrency` of them at once, and gives the results in the order of the list. The
 * first failure is the failure of all; no batch begins after it.
 */
export async function inBatches<T, R>(
  items: readonly T[],
  { batchSize, concurrency }: { batchSize: number; concurrency: number },
  work: (batch: readonly T[]) => Promise<R[]>,
): Promise<R[]> {
  const starts = Array.from({ length: Math.ceil(items.length / batchSize) }, (_, index) => index * batchSize);
  const results: R[][] = [];
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < starts.length && !failed) {
      const index = next++;
      const from = starts[index] as number;
      try {
        results[index] = await work(items.slice(from, from + batchSize));
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, starts.length) }, worker));
  return results.flat();
}
