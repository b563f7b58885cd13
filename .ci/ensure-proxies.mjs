/** Brings nginx and Caddy for the tests of the kit behind proxies; where that is not possible those tests are skipped. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { step } from './bootstrap.mjs';

/** The programs by their Debian packages, and how they say that they are there. */
const proxies = [
  { name: 'nginx', package: 'nginx-light', version: '-v' },
  { name: 'caddy', package: 'caddy', version: 'version' },
];

const missing = () =>
  proxies.filter(({ name, version }) => spawnSync(name, [version], { stdio: 'ignore' }).status !== 0);

/** @returns {Promise<void>} in any case: without a proxy its tests count as skipped. */
export async function ensureProxies() {
  const wanted = missing();
  if (wanted.length === 0) return;
  const isRoot = process.getuid?.() === 0;
  if (process.platform === 'linux' && existsSync('/usr/bin/apt-get') && isRoot) {
    // Debian starts what it installs; the tests start their own, on ports of their own.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const names = wanted.map(({ package: one }) => one);
    await step(`Installing ${names.join(' and ')} from Debian (some seconds, once)`, async () => {
      for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...names]]) {
        if (spawnSync('apt-get', args, { env, stdio: 'ignore' }).status !== 0) return;
      }
    });
  }
  for (const { name, package: one } of missing()) {
    console.log(
      `No ${name} here: the tests of the kit behind it are skipped. Install it (Debian: apt-get install ${one}) to run them.`,
    );
  }
}
