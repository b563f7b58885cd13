/** Thread time of the page's scripts and tasks from now until `stop`. */
export async function scriptMeter(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const read = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    const of = (name) => (metrics.find((metric) => metric.name === name)?.value ?? 0) * 1_000;
    return { script: of('ScriptDuration'), task: of('TaskDuration') };
  };
  const before = await read();
  return {
    async stop() {
      const after = await read();
      await session.detach();
      return { scriptMs: after.script - before.script, taskMs: after.task - before.task };
    },
  };
}

/** Thread time of the longest task of the page's main thread. */
export function longestTaskOf(browser, page) {
  return {
    start: () =>
      browser.startTracing(page, {
        categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'],
      }),
    async stop() {
      const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
      const mains = new Set(
        traceEvents
          .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
          .map(({ pid, tid }) => `${pid}/${tid}`),
      );
      let longest = 0;
      for (const { name, pid, tid, tdur } of traceEvents) {
        if (name === 'RunTask' && mains.has(`${pid}/${tid}`) && tdur > longest) longest = tdur;
      }
      return longest / 1_000;
    },
  };
}

/**
 * How far the screen is behind the server's stamps, in ms of wall time: asks for an answer each of whose tokens is the time
 * at which it was sent, and notes when each of them is on the page in a task after a frame, which has painted it by then.
 */
export async function delaysOf(page) {
  return await page.evaluate(async () => {
    const host = document.getElementById('root');
    const seen = new Set();
    const delays = [];
    let watching = true;
    const look = () => {
      const now = Date.now();
      for (const [stamp] of host.textContent.matchAll(/t\d{13}/g)) {
        if (seen.has(stamp)) continue;
        seen.add(stamp);
        delays.push(now - Number(stamp.slice(1)));
      }
      if (watching) requestAnimationFrame(() => setTimeout(look));
    };
    look();
    await globalThis.bench.ask({ text: '', perSecond: 40 });
    watching = false;
    return delays.sort((a, b) => a - b);
  });
}
