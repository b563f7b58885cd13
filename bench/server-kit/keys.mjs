/**
 * What checking an API key costs, warm: the same key again and again, CPU time per check, median of 5 runs.
 * Run: node --conditions=@ziggie/source bench/server-kit/keys.mjs
 */
import { formatKey, newKeyId, newKeySecret } from '../../server-kit/src/keys/key-format.ts';
import { KeyHasher } from '../../server-kit/src/keys/key-hash.ts';
import { KeyManager } from '../../server-kit/src/keys/key-manager.ts';
import { KeyRing } from '../../server-kit/src/keys/key-ring.ts';
import { MemoryKeyStore } from '../../server-kit/src/keys/key-store.ts';
import { LastUsed } from '../../server-kit/src/keys/last-used.ts';

const clock = { now: () => performance.now(), wallNow: () => Date.now(), setTimer: () => () => {} };
const store = new MemoryKeyStore();
const hasher = new KeyHasher([new TextEncoder().encode('a pepper of the bench, longer than 32 bytes')]);
const lastUsed = new LastUsed(store, clock, { info() {}, warn() {}, error() {} });
const ring = new KeyRing({ store, hasher, clock, environment: 'live', lastUsed, rolesOf: undefined });
const manager = new KeyManager({ store, hasher, ring, clock, environment: 'live', lifetimeDays: 90 });
const { key } = await manager.create({ ownerId: 'ada', roles: ['user'] });
const wrong = formatKey('live', newKeyId(), newKeySecret());

/** @param {string} text */
async function microseconds(text) {
  const checks = 50_000;
  const began = process.cpuUsage();
  for (let at = 0; at < checks; at++) await ring.verify(text);
  const { user, system } = process.cpuUsage(began);
  return (user + system) / checks;
}

for (const [name, text] of [
  ['a good key', key],
  ['a key that is not there', wrong],
  ['a key with a slip', `${key.slice(0, -1)}!`],
]) {
  const runs = [];
  for (let run = 0; run < 5; run++) runs.push(await microseconds(text));
  runs.sort((a, b) => a - b);
  console.log(`${name.padEnd(26)} ${runs[2].toFixed(1)} µs`);
}
