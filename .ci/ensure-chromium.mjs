/** Brings Chromium for the browser tests where that is possible, and says what to do where it is not. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fail, step } from './bootstrap.mjs';

/** @returns {Promise<void>} when a Chromium is there; ends the process with a clear message otherwise. */
export async function ensureChromium() {
  const { chromiumPath } = await import('./chromium.mjs');
  if (existsSync(chromiumPath)) return;
  const isRoot = process.getuid?.() === 0;
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get') || !isRoot) {
    fail(
      'The browser tests need Chromium and found none. Install Chromium or Chrome and set CHROMIUM_PATH to its ' +
        'executable' +
        (existsSync('/usr/bin/apt-get') ? ', or run: sudo apt-get install chromium' : '.'),
    );
  }
  await step('Installing Chromium from Debian (about half a minute, once)', async () => {
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']]) {
      const { status, stderr } = spawnSync('apt-get', args, {
        encoding: 'utf8',
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
      if (status !== 0) fail(`apt-get ${args.join(' ')} failed:\n${stderr}`);
    }
    if (!existsSync('/usr/bin/chromium'))
      fail('Debian installed no /usr/bin/chromium. Set CHROMIUM_PATH to a browser.');
  });
}
