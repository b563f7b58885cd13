/** The checks of `.ci/run` besides the tests: format and lint, types, build, stories build, what the repository promises. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, install, root, run, step } from './bootstrap.mjs';

const checks = [
  ['Format, lint and the import rule', 'biome', ['check', '--colors=off', '--error-on-warnings', '.']],
  ['Types', 'tsc', ['-b']],
  ['Build of the packages', 'pnpm', ['--silent', 'build']],
  ['Entries, sizes and neutrality of the built packages', 'node', ['.ci/check-packages.mjs']],
  ['The programs of the READMEs', 'node', ['.ci/check-readmes.mjs']],
  ['Tarballs: types, entries, dependencies', 'node', ['.ci/check-tarballs.mjs']],
  ['Sizes of the entries within their budgets', 'node', ['.ci/check-sizes.mjs']],
  ['Nothing left lying about', 'knip', ['--no-progress', '--no-config-hints']],
  ['Build of the catalog', 'storybook', ['build', '-o', 'storybook-static', '--quiet']],
  ['Build of the demo page', 'pnpm', ['--silent', '--filter', '@ziggie/example-control-center', 'build']],
];

await install();
for (const [title, command, args] of checks) {
  if (command === 'node' && !existsSync(join(root, args[0]))) fail(`${args[0]} is missing.`);
  await step(title, async () => {
    const code = await run(command, args);
    if (code !== 0) fail(`${title}: "${command} ${args.join(' ')}" ended with ${code}.`);
  });
}
