/**
 * What a user installs: each package is packed, judged by publint and attw, unpacked beside the dependencies and peers it
 * declares and nothing else, and every entry is imported and required, by this workspace's Node, by the oldest that is
 * supported and by the Node that started the command when the packages support it. The types of every entry hold under
 * both ways of resolving them, and the client stays small on disk. Needs the builds; the network only the first time, for
 * the oldest Node, without which that part is left out and said to be.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fail, root, toolEnvironment, workspaceNode } from './bootstrap.mjs';

const OLDEST_NODE = '22.19.0';
/** Of the client with everything it needs. Source maps are left out: nothing reads them but a debugger. */
const MAX_INSTALL_BYTES = 1_000_000;

const folders = ['packages/protocol', 'packages/client', 'packages/testing', 'packages/react', 'server-kit'];
const work = mkdtempSync(join(tmpdir(), 'ziggie-tarballs-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const problems = [];

function run(title, command, args, cwd = work) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...toolEnvironment(), NO_COLOR: '1' },
  });
  if (status === 0) return stdout;
  problems.push(`${title}:\n${error ?? ''}${stdout}${stderr}`.trim());
  return null;
}

const entries = [];
for (const folder of folders) {
  const packed = run(
    `Packing ${folder}`,
    'pnpm',
    ['pack', '--json', '--pack-destination', work],
    join(root, folder),
  );
  if (packed === null) continue;
  const tarball = JSON.parse(packed.slice(packed.indexOf('{'))).filename;
  const manifestOf = (place) => JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
  const { name } = manifestOf(join(root, folder));
  const place = join(work, 'node_modules', name);
  mkdirSync(place, { recursive: true });
  run(`Unpacking ${name}`, 'tar', ['-xzf', tarball, '--strip-components=1', '-C', place]);

  const manifest = manifestOf(place);
  const text = JSON.stringify(manifest);
  if (/workspace:|catalog:/.test(text))
    problems.push(`${name}: workspace: or catalog: left in the packed manifest`);
  if (JSON.stringify(manifest.exports).includes('@ziggie/source'))
    problems.push(`${name}: the packed manifest names sources that are not shipped`);
  for (const file of ['README.md', 'LICENSE']) {
    if (!existsSync(join(place, file))) problems.push(`${name}: no ${file} in the tarball`);
  }

  for (const wanted of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (wanted.startsWith('@ziggie/')) continue;
    const found = [join(root, folder), root]
      .map((from) => join(from, 'node_modules', wanted))
      .find(existsSync);
    const link = join(work, 'node_modules', wanted);
    if (found === undefined)
      problems.push(`${name}: "${wanted}" is declared and not installed in the workspace`);
    else if (!existsSync(link)) {
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(found, link, 'dir');
    }
  }

  const styles = Object.keys(manifest.exports).filter((entry) => entry.endsWith('.css'));
  for (const entry of Object.keys(manifest.exports)) {
    if (!styles.includes(entry)) entries.push(`${name}${entry.slice(1)}`);
  }
  run(`publint ${name}`, 'publint', ['run', tarball, '--strict', '--level', 'warning']);
  const excluded = styles.length > 0 ? ['--exclude-entrypoints', ...styles] : [];
  run(`attw ${name}`, 'attw', [
    tarball,
    '--profile',
    'esm-only',
    '--no-emoji',
    '--format',
    'ascii',
    ...excluded,
  ]);
}

writeFileSync(
  join(work, 'load.mjs'),
  `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
for (const entry of process.argv.slice(2)) {
  const imported = await import(entry);
  const required = require(entry);
  const names = Object.keys(imported);
  if (names.length === 0) throw new Error(entry + ' exports nothing');
  for (const name of names) if (required[name] !== imported[name]) throw new Error(entry + ': ' + name + ' is another one when required');
}
console.log('  ' + (process.argv.length - 2) + ' entries imported and required by Node ' + process.version);
`,
);
const [major, minor] = process.versions.node.split('.').map(Number);
const supported = major > 22 || (major === 22 && minor >= 19);
const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.node;
for (const node of [
  workspaceNode,
  ...oldestNode(),
  ...(supported && process.versions.node !== own ? [process.execPath] : []),
]) {
  const said = run(`Loading the packed entries with ${node}`, node, ['load.mjs', ...entries]);
  if (said !== null) process.stdout.write(said);
}

compileEntries();
measureClient();
if (problems.length > 0) fail(problems.join('\n✗ '));

/** The oldest Node that is supported, downloaded once; none when that cannot be done here. */
function oldestNode() {
  const windows = process.platform === 'win32';
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const cache = join(root, 'node_modules', `.node-${OLDEST_NODE}`);
  const file = join(cache, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  if (!existsSync(file)) {
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(cache, 'package.json'), '{"private":true}');
    const args = [
      'install',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--silent',
      `${name}@${OLDEST_NODE}`,
    ];
    spawnSync('npm', args, { cwd: cache, env: toolEnvironment(), shell: windows });
  }
  if (existsSync(file)) return [file];
  console.log(`  not tried on Node ${OLDEST_NODE}: it cannot be downloaded here`);
  return [];
}

function compileEntries() {
  const lines = entries.map((entry, index) => `export * as entry${index} from '${entry}';`);
  writeFileSync(join(work, 'types.mts'), `${lines.join('\n')}\n`);
  for (const resolution of ['nodenext', 'bundler']) {
    const compilerOptions = {
      module: resolution === 'bundler' ? 'esnext' : resolution,
      moduleResolution: resolution,
      target: 'es2023',
      lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
      types: [],
      typeRoots: [],
      jsx: 'react-jsx',
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      // The types of others are theirs to check; ours are reached by the file above.
      skipLibCheck: true,
    };
    const config = `tsconfig.${resolution}.json`;
    writeFileSync(join(work, config), JSON.stringify({ compilerOptions, files: ['types.mts'] }));
    run(`Types of the entries under ${resolution}`, 'tsc', ['-p', config]);
  }
  console.log('  types hold under nodenext and bundler');
}

function measureClient() {
  const needed = ['@ziggie/llm-client', '@ziggie/llm-protocol', 'eventsource-parser'];
  const bytes = needed.reduce((sum, name) => sum + sizeOf(join(work, 'node_modules', name)), 0);
  console.log(
    `  @ziggie/llm-client takes ${Math.round(bytes / 1000)} kB on disk with its dependencies (budget 1,000 kB)`,
  );
  if (bytes > MAX_INSTALL_BYTES)
    problems.push(`@ziggie/llm-client takes ${bytes} bytes on disk, more than 1 MB`);
}

function sizeOf(path) {
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile() && !file.name.endsWith('.map'))
    .reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}
