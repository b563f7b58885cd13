/**
 * What the built packages promise: every entry of `exports` exists, has types and is made of named re-exports only; the
 * packages for browsers hold no Node import; sizes stay within their budgets.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fail, root } from './bootstrap.mjs';

const packages = ['packages/protocol', 'packages/client', 'packages/testing', 'packages/react', 'server-kit'];
const neutral = new Set(['packages/protocol', 'packages/react']);
const problems = [];

for (const folder of packages) {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const published = manifest.publishConfig.exports;
  if (Object.keys(published).join() !== Object.keys(manifest.exports).join()) {
    problems.push(`${folder}: exports and publishConfig.exports name different entries`);
  }
  for (const [entry, targets] of Object.entries(manifest.exports)) {
    const source = targets['@ziggie/source'];
    for (const target of Object.values(targets).flatMap((value) =>
      typeof value === 'string' ? [value] : Object.values(value),
    )) {
      if (!existsSync(join(root, folder, target)))
        problems.push(`${folder} "${entry}": ${target} does not exist`);
    }
    if (/\.tsx?$/.test(source)) {
      const code = readFileSync(join(root, folder, source), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      const left = code
        .replace(/export\s+(?:type\s+)?\{[\s\S]*?\}\s+from\s+'[^']+';/g, '')
        .replace(/'use client';/g, '')
        .trim();
      if (left !== '')
        problems.push(
          `${folder} "${entry}": ${source} holds more than named re-exports: ${left.slice(0, 60)}`,
        );
    }
  }
  if (neutral.has(folder)) {
    for (const targets of Object.values(manifest.exports)) {
      const file = targets.default;
      if (!file.endsWith('.js')) continue;
      for (const code of closure(join(root, folder, file))) {
        if (/from\s*["']node:|require\(["']node:/.test(code))
          problems.push(`${folder}: ${file} imports from node:`);
      }
    }
  }
  for (const [entry, { default: file }] of Object.entries(manifest.exports)) {
    if (!file.endsWith('.js')) continue;
    const bytes = gzipSync(closure(join(root, folder, file)).join('\n'), { level: 9 }).length;
    console.log(
      `  ${`${manifest.name}${entry.slice(1)}`.padEnd(36)} ${(bytes / 1000).toFixed(1).padStart(5)} kB gz`,
    );
  }
}

/** The texts of a built file and of the chunks it imports. */
function closure(file, seen = new Set()) {
  if (seen.has(file) || !existsSync(file)) return [];
  seen.add(file);
  const code = readFileSync(file, 'utf8');
  const chunks = [...code.matchAll(/(?:from|import)\s*["'](\.\.?\/[^"']+)["']/g)].map((match) =>
    join(dirname(file), match[1]),
  );
  return [code, ...chunks.flatMap((chunk) => closure(chunk, seen))];
}

const css = join(root, 'packages/react/dist/styles/styles.css');
const cssBytes = gzipSync(readFileSync(css), { level: 9 }).length;
console.log(`  styles.css: ${(cssBytes / 1000).toFixed(1)} kB gz (budget 8.98 kB)`);
if (cssBytes > 8980) problems.push(`styles.css is ${cssBytes} bytes gz, more than 8,980`);

if (problems.length > 0) fail(problems.join('\n✗ '));
