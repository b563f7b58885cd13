// Placement against least connections over a grid of fleets and loads, in virtual time with the placement and the line
// that the kit runs. node --conditions=@ziggie/source bench/placement/grid.mjs [seeds]
import { writeFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { playPlacement, scenario } from '../../server-kit/test/placement/play-placement.ts';
import { percentile } from '../../server-kit/test/queue/random.ts';

const loads = [0.3, 0.5, 0.85];
const manyModels = Array.from({ length: 12 }, (_, at) => `m${at + 1}:latest`);
const ofModel = (slots) => ({ slotsPer: 'model', slots });
const rowsOf = (answers, loadTimes) =>
  answers.flatMap((serviceMs) => loadTimes.map((loadMs) => ({ serviceMs, loadMs })));
const few = [...rowsOf([3000], [20_000]), ...rowsOf([8000], [5000])];

const sections = [
  ['one answer at a time per machine', {}, rowsOf([1000, 3000, 8000, 20_000], [2000, 5000, 20_000, 60_000])],
  ['one answer at a time of each model in memory', ofModel(1), few],
  ['two of each', ofModel(2), few],
  ['four of each', ofModel(4), few],
  ['models asked for more evenly, Zipf 0.8', { zipf: 0.8 }, few],
  ['less evenly, Zipf 1.5', { zipf: 1.5 }, few],
  ['8 machines and 12 models', { gpus: 8, models: manyModels }, few],
];
const cells = sections.flatMap(([title, change, rows]) =>
  rows.flatMap((row) => loads.map((utilisation) => ({ title, row, utilisation, change }))),
);

/** One cell for one policy: all seeds together. */
async function play(policy, { row, utilisation, change }, seeds) {
  const first = [];
  let cold = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const load = { ...scenario, requests: 300, warmUp: 100, ...change, ...row, utilisation };
    const played = await playPlacement(policy, load, seed);
    cold += played.coldLoads;
    first.push(...played.firstTokenMs);
  }
  const meanMs = first.reduce((sum, ms) => sum + ms, 0) / first.length;
  return { cold: (cold / first.length) * 1000, p95Ms: percentile(first, 0.95), meanMs };
}

if (!isMainThread) {
  const { seeds, part, parts } = workerData;
  for (let at = part; at < cells.length; at += parts) {
    const ours = await play('ziggie', cells[at], seeds);
    const least = await play('least connections', cells[at], seeds);
    parentPort.postMessage({ at, ours, least });
  }
} else {
  const seeds = Number(process.argv[2] ?? 10);
  const parts = 2;
  const done = [];
  await Promise.all(
    Array.from({ length: parts }, (_, part) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { seeds, part, parts } });
      worker.on('message', ({ at, ours, least }) => {
        done[at] = {
          ...cells[at],
          ours,
          least,
          p95: ours.p95Ms / least.p95Ms,
          mean: ours.meanMs / least.meanMs,
        };
        console.log(`${done.filter(Boolean).length} of ${cells.length}`);
      });
      return new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
    }),
  );
  if (seeds >= 10) writeFileSync(new URL('GRID.md', import.meta.url), report(done, seeds));
  console.log(report(done, seeds));
}

function report(done, seeds) {
  const percent = (share) => `${Math.round(share * 100)} %`;
  const seconds = (ms) => (ms / 1000).toFixed(1);
  const tables = sections.map(([title, , rows]) => {
    const lines = rows.map((row) => {
      const own = done.filter((cell) => cell.title === title && cell.row === row);
      const shown = own.map(
        ({ p95, ours, least }) => `${p95.toFixed(2)} (${Math.round(ours.cold)}/${Math.round(least.cold)})`,
      );
      return `| ${row.serviceMs / 1000} s | ${row.loadMs / 1000} s | ${shown.join(' | ')} |`;
    });
    const head = `| answers | a load | ${loads.map((load) => `${percent(load)} busy`).join(' | ')} |`;
    return `## ${title}\n\n${head}\n|---|---|${loads.map(() => '---|').join('')}\n${lines.join('\n')}`;
  });
  const ratios = done.map(({ p95 }) => p95);
  const worse = done.filter(({ p95 }) => p95 > 1.05).sort((a, b) => b.p95 - a.p95);
  const list = worse.map(
    ({ title, row, utilisation, p95, mean, ours, least }) =>
      `| ${title} | ${row.serviceMs / 1000} s | ${row.loadMs / 1000} s | ${percent(utilisation)} | ${p95.toFixed(2)} | ${seconds(ours.p95Ms)} | ${seconds(least.p95Ms)} | ${mean.toFixed(2)} |`,
  );
  return `# Placement over a grid

Virtual time, the placement and the line that the kit runs, against least connections. ${done.length} loads of ${seeds} seeds with 300 requests
each, after 100 that do not count. Where a title does not say otherwise: 3 machines that hold 2 of 5 models, Zipf 1.1, answers
of exponential length. “Busy” is what answers alone would take. Each cell is the p95 of the time to the first token
against that of least connections, and the cold loads per 1,000 requests of both. Written by \`npm run placement-grid\`.

p95 against least connections: median ${percentile(ratios, 0.5).toFixed(2)}, at most ${Math.max(...ratios).toFixed(2)}; better or within 5 % in ${done.length - worse.length} of ${done.length}.

${tables.join('\n\n')}

## Where it is worse

| fleet | answers | a load | busy | p95 against least connections | p95, s | least connections, s | mean against least connections |
|---|---|---|---|---|---|---|---|
${list.join('\n')}

Nearly all of it is where a load takes no longer than an answer: the last twentieth waits for a machine that has the model,
where least connections simply loads it elsewhere. In fleets up to half busy the mean is lower there all the same; at 85 %
it is up to a third higher. Counting a load for less moves the bad cells to others and costs more loads.
`;
}
