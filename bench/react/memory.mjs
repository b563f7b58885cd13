/** What is left of 50 long turns after they were cleared, and of 100 chats after they were taken off the page. */
export async function measureMemory(open) {
  const { page, context } = await open();
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  const used = async () => {
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_500)));
    for (let round = 0; round < 3; round += 1) await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
    return { heap: usedSize / 2 ** 20, nodes, listeners: jsEventListeners };
  };
  await page.evaluate(() => globalThis.bench.mount(0));
  const turns = (count) =>
    page.evaluate(async (most) => {
      for (let turn = 0; turn < most; turn += 1)
        await globalThis.bench.ask({ sections: 11, perSecond: 20_000 });
    }, count);
  const clear = () => page.evaluate(() => globalThis.benchConversation().clear());
  // What is made once, such as compiled code, is no leak.
  await turns(3);
  await clear();
  const before = await used();
  await turns(50);
  const full = await used();
  await clear();
  const after = await used();
  const mounts = (count) => page.evaluate((most) => globalThis.benchMounts(most), count);
  await mounts(10);
  const beforeMounts = await used();
  await mounts(100);
  const afterMounts = await used();
  await context.close();
  return { before, full, after, beforeMounts, afterMounts };
}
