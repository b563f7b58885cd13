// What every target needs: where the model server is, the secret, and how the bench asks for its CPU time.
export const upstream = process.env.UPSTREAM;
export const secret = new TextEncoder().encode(process.env.JWT_SECRET);

/** Tokens counted from terminal records, so that no composition can leave the counting out. */
export const usage = { requests: 0, tokens: 0 };

/** Looks at the bytes that pass for the terminal record, keeping the last line only. */
export function usageCounter() {
  let tail = '';
  return (chunk) => {
    tail = (tail + chunk).slice(-1024);
    if (!tail.includes('"done":true')) return;
    const line = tail.trimEnd().split('\n').at(-1);
    try {
      usage.tokens += JSON.parse(line).eval_count ?? 0;
      usage.requests++;
      tail = '';
    } catch {
      // The rest of the record is still to come.
    }
  };
}

export function ready(server) {
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
}

/** What else a look at the memory tells, of a target that has more to say. */
export const told = { gauges: () => undefined };

process.on('message', (message) => {
  if (message === 'cpu') process.send({ cpuMicros: sum(process.cpuUsage()), usage });
  if (message === 'memory') {
    // The second takes what the finalizers of the first let go.
    globalThis.gc?.();
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    const handles = {};
    for (const kind of process.getActiveResourcesInfo().toSorted()) handles[kind] = (handles[kind] ?? 0) + 1;
    process.send({ rss, used: heapUsed + external, heap: heapUsed, handles, gauges: told.gauges() });
  }
});

const sum = ({ user, system }) => user + system;
