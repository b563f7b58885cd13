/**
 * Makes the workspace ready on a machine that has only Node >= 20 and npm: installs the pinned pnpm's view of the lock
 * file, once. The tools themselves run on the Node 24 that the install brings.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = join(root, 'node_modules', '.ziggie-installed');

/** The environment for the workspace's tools: its binaries first, and nothing of the npm that started us. */
export function toolEnvironment() {
  const env = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^npm_/i.test(name) && name !== 'INIT_CWD') env[name] = value;
  }
  env['PATH'] = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  return env;
}

/** Node 24 of the workspace, installed by {@link install}. */
export const workspaceNode = join(
  root,
  'node_modules',
  'node',
  'bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
);

/** Runs a command to its end with its output shown. Resolves with the exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: toolEnvironment(), stdio: 'inherit', ...options });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward);
    process.on('SIGTERM', forward);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', forward);
      process.off('SIGTERM', forward);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

/** Says what is going on and how long it took. */
export async function step(title, work) {
  const startedAt = Date.now();
  process.stdout.write(`▸ ${title} …\n`);
  const result = await work();
  process.stdout.write(`✓ ${title}, ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
  return result;
}

/** Installs what the lock file names unless that is done. Ends the process with a clear message when it fails. */
export async function install() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node ${process.versions.node} is too old: this needs Node 20.19 or newer.`);
  }
  const stamp = fingerprint();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = packageManager.replace('pnpm@', '');
  const args = ['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn'];
  await step('Installing dependencies (about half a minute the first time)', async () => {
    const code = sameVersion(wanted)
      ? await run('pnpm', args)
      : await run('npx', ['--yes', packageManager, ...args], { shell: process.platform === 'win32' });
    // Ctrl-C.
    if (code === 130 || code === 143) process.exit(code);
    if (code !== 0) {
      fail(
        `Installing failed (exit ${code}). The npm registry must be reachable; the lines above say what went wrong. ` +
          'Running the same command again continues where it stopped.',
      );
    }
    writeFileSync(stampFile, stamp);
  });
}

function sameVersion(wanted) {
  const found = spawnSync('pnpm', ['--version'], { encoding: 'utf8', cwd: root });
  return found.status === 0 && found.stdout.trim() === wanted;
}

function fingerprint() {
  const hash = createHash('sha256').update(process.platform).update(process.arch);
  for (const file of ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml'])
    hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/** Ends with a message for people. */
export function fail(message) {
  process.stderr.write(`\n✗ ${message}\n`);
  process.exit(1);
}
