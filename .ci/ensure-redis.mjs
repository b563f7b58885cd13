/** Brings a Redis server for the store tests where that is possible; elsewhere those tests are skipped, and say so. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { step } from './bootstrap.mjs';

/** Whether a Redis server can be started on this machine. */
export function hasRedis() {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** @returns {Promise<void>} in any case: without Redis its tests count as skipped. */
export async function ensureRedis() {
  if (hasRedis()) return;
  const isRoot = process.getuid?.() === 0;
  if (process.platform === 'linux' && existsSync('/usr/bin/apt-get') && isRoot) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await step('Installing Redis from Debian (some seconds, once)', async () => {
      for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'redis-server']]) {
        if (spawnSync('apt-get', args, { env, stdio: 'ignore' }).status !== 0) return;
      }
    });
  }
  if (hasRedis()) return;
  console.log(
    'No redis-server here: the tests of the Redis stores are skipped. Install it (Debian: apt-get install redis-server) to run them.',
  );
}
