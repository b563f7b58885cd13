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
