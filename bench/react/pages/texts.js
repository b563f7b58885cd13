/** An answer of about 10 kB as models write them: headings, prose with marks, a list, code and a table, in sections. */
export function longAnswer(sections = 14) {
  const parts = [];
  for (let at = 1; at <= sections; at += 1) {
    parts.push(`## Step ${at}: look at what the machine does

The **scheduler** keeps one queue per model and gives each user a turn, so a long prompt of one of them does not
hold the others. See [the manual](https://example.com/manual/${at}) for *all* settings, or run \`ziggie doctor --step ${at}\`.

- first, read the log of the last hour
- then compare it with the **expected** values
- at last, change one setting and measure again

\`\`\`js
export function step${at}(queue, user) {
  const turn = queue.find((one) => one.user === user);
  return turn === undefined ? null : { ...turn, startedAt: ${at} };
}
\`\`\`

| setting | before | after |
| --- | ---: | ---: |
| slots | ${at} | ${at * 2} |
| context | 4,096 | 8,192 |
`);
  }
  return parts.join('\n');
}

/** Pieces of about four characters, as engines send them. */
export function tokensOf(text) {
  return text.match(/[\s\S]{1,4}/g) ?? [];
}

export function history(count) {
  return Array.from({ length: count }, (_, at) =>
    at % 2 === 0
      ? { role: 'user', text: `Question ${at}: how do I set the number of slots of a model?` }
      : { role: 'assistant', text: `Answer ${at}.\n\n${longAnswer(1)}` },
  );
}

/** Gives tokens at a steady pace: those that are due, as often as the page lets it. */
async function* paced(tokens, perSecond) {
  const start = performance.now();
  for (let sent = 0; sent < tokens.length; ) {
    const due = Math.min(tokens.length, Math.floor(((performance.now() - start) / 1_000) * perSecond) + 1);
    while (sent < due) yield tokens[sent++];
    await new Promise((resolve) => setTimeout(resolve, 1_000 / perSecond));
  }
}

/** Tokens of the server behind the page, over HTTP: each is the time at which it was sent. */
async function* stamped() {
  const response = await fetch('/api/chat', { method: 'POST', body: '{}' });
  let rest = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line).message.content;
  }
}

/** The tokens of the next answer as they come. */
export function source() {
  return globalThis.benchServer === undefined ? paced(next.sent, next.perSecond) : stamped();
}

/** What the next question is answered with, as tokens and in the form that the page's own server sends them in. */
export const next = { tokens: [], sent: [], perSecond: 150 };

/** Two frames after what was done last: it is on the screen then. */
export function painted() {
  return new Promise((resolve) =>
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))),
  );
}

/**
 * Makes the page answer to the script outside. `ask` resolves when the answer is over; `send` is what a server would do
 * with each token, which is none of the page's work and done before anything is measured.
 */
export function expose({ mount, ask, send = (token) => token }) {
  const host = document.getElementById('root');
  globalThis.bench = {
    async mount(count) {
      const started = performance.now();
      const messages = history(count);
      await mount(host, messages);
      const last = messages.at(-1)?.text.slice(0, 12) ?? '';
      while (!host.textContent.includes(last.split('.')[0])) await painted();
      await painted();
      return { ms: performance.now() - started, nodes: host.querySelectorAll('*').length };
    },
    prepare({ sections, text, perSecond }) {
      next.tokens = tokensOf(text ?? longAnswer(sections));
      next.sent = next.tokens.map(send);
      next.perSecond = perSecond;
    },
    /** Without an answer of its own: what was prepared. */
    async ask(answer) {
      if (answer !== undefined) globalThis.bench.prepare(answer);
      const started = performance.now();
      await ask();
      await painted();
      return { ms: performance.now() - started, tokens: next.tokens.length, shown: host.textContent.length };
    },
  };
}
