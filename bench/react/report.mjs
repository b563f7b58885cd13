const round = (value, digits = 0) => value.toFixed(digits);
const names = {
  'plain-text': 'plain text in React (the floor)',
  ziggie: '@ziggie/llm-react',
  'ai-sdk': '@ai-sdk/react 4.0.177, streamdown 2.7.1',
  'assistant-ui': '@assistant-ui/react 0.15.20, react-markdown',
  copilotkit: '@copilotkit/react-core 1.74.0, v2',
};

/** The tables of RESULTS.md. */
export function report({ version, node, cpu, peers, rounds }) {
  const missing = Object.keys(names).filter((name) => peers[name] === undefined);
  const floor = peers['plain-text'];
  const rows = Object.entries(peers).map(([name, { empty, below100, ready, behind }]) =>
    [
      names[name],
      `${round(empty.scriptMs)} (${round(empty.scriptMs / floor.empty.scriptMs, 2)})`,
      `${round(below100.scriptMs)} (${round(below100.scriptMs / floor.empty.scriptMs, 2)})`,
      `${round(empty.taskMs)} (${round(empty.taskMs / floor.empty.taskMs, 2)})`,
      `${round(empty.longestMs)} (${round(empty.longestMs / floor.empty.longestMs, 2)})`,
      round(below100.shifted, 3),
      `${round(ready.taskMs)} (${round(ready.taskMs / floor.ready.taskMs, 2)})`,
      round(ready.nodes),
      `${round(behind.p50)} / ${round(behind.p95)}`,
    ].join(' | '),
  );
  return `# The chat beside its peers

One answer of ${floor.empty.tokens.toLocaleString('en')} tokens at 150 tokens/s (headings, prose, lists, code, tables), and 1,000 messages that are there at once.
Milliseconds of the page's main thread (thread time, so other processes do not count); in brackets, times the floor of the
same run. The floor is a list of plain paragraphs with a state that is set for each token: it shows no markdown. Each
page shows the same texts from the same source. Chromium ${version}, Node ${node}, ${cpu}. Made by \`chat.mjs\`.

| page | script, empty | script, below 100 messages | all tasks, empty | longest task | layout shift | 1,000 messages ready | DOM nodes then | behind the stamp, p50 / p95 |
|---|---|---|---|---|---|---|---|---|
${rows.map((row) => `| ${row} |`).join('\n')}

Medians of ${rounds} rounds, in which the pages come one after the other. A shift within 500 ms of the question does not count,
as with a real key press. "Behind the stamp", in ms of wall time: 320 tokens at 40 tokens/s come over HTTP from a server beside
the page, each of them the time at which it was sent; after every frame (in a task that follows a \`requestAnimationFrame\`, so
the frame is painted) the page's text is searched for those that are new. What another process takes of the machine counts there.
${missing.length === 0 ? '' : `\nNot measured here, because a round failed or was not done in four minutes: ${missing.map((name) => names[name]).join(', ')}.\n`}`;
}

/** The table of OURS.md. */
export function reportOurs({ version, node, cpu, length, pathological, memory }) {
  return `# The chat alone

Chromium ${version}, Node ${node}, ${cpu}. Thread time unless it says otherwise. Made by \`ours.mjs\`.

| what | measured | at most |
|---|---|---|
| script time per token late in a 196 kB answer, × the same early | ${round(length.late / length.early, 2)} | 1.25 |
${
  pathological === undefined
    ? ''
    : `| ${pathological.count} costly texts of 16, 64 and 256 KiB, whole and growing: longest task | ${round(pathological.longest[0].longestMs)} ms (${pathological.longest[0].id}, ${pathological.longest[0].kibibytes} KiB) | 200 ms |
| of those, texts that threw | ${pathological.errors} | 0 |
`
}| heap after 50 long turns and \`clear()\`, above before | ${round(memory.after.heap - memory.before.heap, 1)} MiB (full: ${round(memory.full.heap - memory.before.heap, 1)}) | 2 MiB |
| after 100 chats were shown and taken away: heap, DOM nodes, listeners above before | ${round(memory.afterMounts.heap - memory.beforeMounts.heap, 1)} MiB, ${memory.afterMounts.nodes - memory.beforeMounts.nodes}, ${memory.afterMounts.listeners - memory.beforeMounts.listeners} | 2 MiB, 0, 0 |
`;
}
