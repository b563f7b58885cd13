/**
 * `npm test`: installs what is missing, then runs every test once, in Node and in Chromium. The last line is
 * `N passed, N failed, N skipped`. `--long` runs the slow tier instead.
 */

import { install, run } from './bootstrap.mjs';
import { ensureChromium } from './ensure-chromium.mjs';
import { ensureProxies } from './ensure-proxies.mjs';
import { ensureRedis } from './ensure-redis.mjs';

const long = process.argv.includes('--long');
const rest = process.argv.slice(2).filter((arg) => arg !== '--long');

await install();
await ensureChromium();
await ensureRedis();
await ensureProxies();
if (long) process.env['ZIGGIE_LONG'] = '1';
process.exitCode = await run('vitest', [
  'run',
  '--reporter=dot',
  '--reporter=./.ci/summary-reporter.mjs',
  ...rest,
]);
