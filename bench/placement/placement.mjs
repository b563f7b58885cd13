// How often models are loaded and how long first tokens take when a fleet has more models than memory, in virtual time
// with the placement and the line that the kit runs. node --conditions=@ziggie/source bench/placement/placement.mjs
import { writeFileSync } from 'node:fs';
import { playPlacement, policies, scenario } from '../../server-kit/test/placement/play-placement.ts';
import { percentile } from '../../server-kit/test/queue/random.ts';

const seeds = Array.from({ length: Number(process.argv[2] ?? 20) }, (_, at) => at + 1);
const seconds = (ms) => (ms / 1000).toFixed(1);

const loads = [
  ['answers of 3 s', {}],
  ['the same, from an empty fleet', { warmUp: 0 }],
  ['answers of 8 s', { serviceMs: 8000 }],
  [
    'an answer of each model in memory at once, half busy, answers of 8 s',
    { slotsPer: 'model', utilisation: 0.5, serviceMs: 8000 },
  ],
  ['the same with answers of 3 s', { slotsPer: 'model', utilisation: 0.5 }],
];

const sections = [];
let told = '';
for (const [name, change] of loads) {
  const rows = [];
  let base;
  for (const policy of policies) {
    const cold = [];
    const first = [];
    for (const seed of seeds) {
      const played = await playPlacement(policy, { ...scenario, ...change }, seed);
      cold.push(played.coldLoads);
      first.push(...played.firstTokenMs);
    }
    rows.push({
      policy,
      cold,
      p50: percentile(first, 0.5),
      p95: percentile(first, 0.95),
      most: Math.max(...first),
    });
    if (policy === 'least connections') base = rows.at(-1);
  }
  sections.push(
    `## ${name}\n\n| policy | cold loads per 1,000: median | most | first token: median, s | p95, s | longest, s | p95 against least connections |\n|---|---|---|---|---|---|---|\n${rows
      .map(
        ({ policy, cold, p50, p95, most }) =>
          `| ${[policy, percentile(cold, 0.5), Math.max(...cold), seconds(p50), seconds(p95), seconds(most), (p95 / base.p95).toFixed(2)].join(' | ')} |`,
      )
      .join('\n')}`,
  );
  if (name === loads[0][0]) {
    const [ours] = rows;
    told = `cold loads at most ${Math.max(...ours.cold)} (goal 10), p95 ${(ours.p95 / base.p95).toFixed(2)} of least connections (goal 0.25)`;
  }
  console.log(sections.at(-1));
}

const text = `# Placement

Virtual time, the placement and the line that the kit runs (\`server-kit/src/upstreams\`, \`placement\`, \`queue\`), ${seeds.length} seeds.
${scenario.gpus} machines that hold ${scenario.resident} models and answer one request at a time, ${scenario.models.length} models asked for by Zipf ${scenario.zipf},
loads of ${scenario.loadMs / 1000} s, answers of exponential length, arrivals by Poisson at ${scenario.utilisation * 100} % of what answers alone would fill. 1,000 requests count,
after ${scenario.warmUp} that bring the fleet to where it would be. Machines do as Ollama does: one load after another; an idle model
goes, of those kept equally long the one whose file comes first by name, unless it is told which. The other policies send a request to a machine at once, where it waits: to the one with the fewest (least
connections), to any (random), or to the user's own (sticky).

${told}.

${sections.join('\n\n')}

Where answers are long, lines behind machines that must not load make most of the wait: the loads saved are the same,
the share of the wait that they were is smaller. Fleets and loads of other kinds, and where it is worse: GRID.md. Written by \`npm run placement\`.
`;
if (seeds.length >= 20) writeFileSync(new URL('./RESULTS.md', import.meta.url), text);
console.log(told);
