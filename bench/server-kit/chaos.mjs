/**
 * Model servers, Redis and one of the two kits of examples/fleet are killed in turn and come back, while people ask one
 * question after another: how many of their questions are answered whole? Into CHAOS.md. Every program is a process of
 * its own and dies by SIGKILL. Run: node --conditions=@ziggie/source bench/server-kit/chaos.mjs [minutes] [users]
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { startFleet } from '../../examples/fleet/src/fleet.ts';

const minutes = Number(process.argv[2] ?? 10);
const users = Number(process.argv[3] ?? 20);
/** How long one is dead, and how long all are well before the next dies: nothing is as it was when the next one goes. */
const deadMs = 5000;
const wellMs = 5000;
/** Each kind of program after the other, so that every one of them dies as often. */
const victims = ['gpu-1', 'kit-express', 'gpu-2', 'redis', 'gpu-3', 'kit-fastify'];

const fleet = await startFleet({ users, recovery: 'restart' });
process.once('SIGINT', () => void fleet.close().finally(() => process.exit(130)));
if (!fleet.hasRedis)
  throw new Error('redis-server is not installed: on Debian `apt-get install redis-server`.');

const killed = Object.fromEntries(victims.map((name) => [name, 0]));
const failures = new Map();
const seen = new Set();
let revivedLate = 0;

/** The codes of failures, before the list of the latest forgets them. */
function takeFailures() {
  for (const { code, before, at } of fleet.view().traffic.lastFailures) {
    const key = `${at} ${code} ${before}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const kind = `${code}, ${before ? 'nothing was seen yet' : 'in the middle'}`;
    failures.set(kind, (failures.get(kind) ?? 0) + 1);
  }
}
const looking = setInterval(takeFailures, 100);

const began = Date.now();
const endsAt = began + minutes * 60_000;
fleet.setTraffic(true);
await pause(wellMs);
for (let turn = 0; Date.now() + deadMs + wellMs < endsAt; turn++) {
  const name = victims[turn % victims.length];
  fleet.kill(name);
  killed[name]++;
  await pause(deadMs);
  const revivedAt = Date.now();
  await fleet.revive(name);
  if (Date.now() - revivedAt > wellMs) revivedLate++;
  await pause(wellMs);
  const { whole, failedBeforeFirstToken, cutAfterFirstToken } = fleet.view().traffic;
  console.log(
    `${Math.round((Date.now() - began) / 1000)} s: ${name} was dead; ${whole} whole, ${failedBeforeFirstToken} failed, ${cutAfterFirstToken} cut`,
  );
}
// Those who were asking when it ends are let finish: no new question is counted after this look.
const { traffic } = fleet.view();
clearInterval(looking);
takeFailures();
await fleet.close();

const ended = traffic.whole + traffic.failedBeforeFirstToken + traffic.cutAfterFirstToken;
const share = (100 * traffic.whole) / ended;
const deaths = Object.entries(killed).map(([name, times]) => `${name} ${times}`);
const lines = [
  '# Everything dies in turn',
  '',
  `Two kits, three model servers and a Redis (examples/fleet), each a process of its own; ${users} people ask one question after another for ${minutes} min with \`recovery: 'restart'\`. Every ${(deadMs + wellMs) / 1000} s one program is killed by SIGKILL and started again after ${deadMs / 1000} s. ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, load ${loadavg()[0].toFixed(1)} at the end. Made by \`node --conditions=@ziggie/source bench/server-kit/chaos.mjs\`. To hold: ≥ 99 % answered whole.`,
  '',
  '| questions that ended | answered whole | share | took more than one try of the client | failed before a first token | cut in the middle |',
  '|---|---|---|---|---|---|',
  `| ${ended} | ${traffic.whole} | ${share.toFixed(2)} % | ${traffic.askedAgain} | ${traffic.failedBeforeFirstToken} | ${traffic.cutAfterFirstToken} |`,
  '',
  `Killed: ${deaths.join(', ')}. Half of the last first tokens came within ${traffic.medianFirstTokenMs} ms.`,
  ...(failures.size > 0
    ? ['', 'Failures by code:', '', ...[...failures].map(([kind, count]) => `- ${kind}: ${count}`)]
    : []),
  ...(revivedLate > 0
    ? ['', `${revivedLate} times a program needed more than ${wellMs / 1000} s to come back.`]
    : []),
  '',
];
console.log(lines.join('\n'));
if (minutes >= 10) writeFileSync(new URL('CHAOS.md', import.meta.url), lines.join('\n'));
process.exit(share >= 99 ? 0 : 1);
