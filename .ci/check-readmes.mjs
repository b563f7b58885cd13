/**
 * The programs of the READMEs compile against the built packages. Every ```ts and ```tsx fence is a module of its own;
 * what an earlier fence or the reader's own app provides is declared in `readme-givens/`, one file for each README.
 *
 * Two short forms are understood: `…` among members stands for the members of an earlier fence, and a fence that begins
 * with a member (`limits: {`) is a part of the kit's options.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root, toolEnvironment } from './bootstrap.mjs';

const readmes = {
  root: 'README.md',
  protocol: 'packages/protocol/README.md',
  client: 'packages/client/README.md',
  react: 'packages/react/README.md',
  testing: 'packages/testing/README.md',
  'server-kit': 'server-kit/README.md',
};
const folder = '.readme-fences';
const problems = [];
let count = 0;

/** Where a fence of the first README finds what it imports. */
function homeOf(readme, code) {
  if (readme !== 'README.md') return readme.replace('/README.md', '');
  const wanted = /@ziggie\/llm-(react|server-kit|testing)/.exec(code)?.[1] ?? 'client';
  return wanted === 'server-kit' ? wanted : `packages/${wanted === 'testing' ? 'client' : wanted}`;
}

function asModule(code) {
  let text = code.replaceAll(/^(\s*|.*\{ )…,/gm, '$1...others,');
  if (/^\w+: [{[]/.test(text)) {
    const members = text.trimEnd().replace(/,$/, '');
    text = `export const part: Partial<import('@ziggie/llm-server-kit').ServerKitOptions> = {\n${members},\n};`;
  }
  return `${text}\nexport {};\n`;
}

for (const [name, readme] of Object.entries(readmes)) {
  const markdown = readFileSync(join(root, readme), 'utf8');
  const files = [];
  const places = new Map();
  const homes = new Set();
  for (const { 1: language, 2: code, index } of markdown.matchAll(/^```(tsx?)\n([\s\S]*?)^```/gm)) {
    const line = markdown.slice(0, index).split('\n').length;
    const home = join(root, homeOf(readme, code), folder);
    homes.add(home);
    mkdirSync(home, { recursive: true });
    const file = join(home, `${name}-${line}.${language}`);
    const isPart = /^\w+: [{[]/.test(code);
    writeFileSync(file, asModule(code));
    places.set(`${name}-${line}.${language}`, { readme, line: line - (isPart ? 1 : 0) });
    files.push(file);
    count++;
  }
  const [home] = homes;
  const given = join(root, '.ci/readme-givens', `${name}.ts`);
  if (home !== undefined && existsSync(given)) {
    const copy = join(home, `${name}-givens.ts`);
    writeFileSync(copy, readFileSync(given));
    files.push(copy);
  }
  const config = join(root, `${folder}.json`);
  writeFileSync(config, JSON.stringify(configFor(files)));
  const { stdout, stderr } = spawnSync('tsc', ['-p', config, '--pretty', 'false'], {
    cwd: root,
    encoding: 'utf8',
    env: toolEnvironment(),
  });
  rmSync(config);
  for (const path of homes) rmSync(path, { recursive: true });
  for (const text of `${stdout}${stderr}`.trim().split('\n').filter(Boolean)) {
    const found = /([\w-]+\.tsx?)\((\d+),(\d+)\): error (.*)$/.exec(text);
    const place = found && places.get(found[1]);
    problems.push(place ? `${place.readme}:${place.line + Number(found[2])}: ${found[4]}` : text);
  }
}

function configFor(files) {
  return {
    extends: './tsconfig.base.json',
    compilerOptions: {
      lib: ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
      jsx: 'react-jsx',
      types: ['node'],
      // The built packages, as somebody who installed them sees them.
      customConditions: [],
    },
    files,
  };
}

if (problems.length > 0) fail(`The programs of the READMEs do not compile:\n  ${problems.join('\n  ')}`);
console.log(`  ${count} programs of the READMEs compile`);
