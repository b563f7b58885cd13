/** `npm run demo`: installs, builds, starts the control center and prints its URL. Ctrl-C ends all of it. */

import { join } from 'node:path';
import { fail, install, root, run, step, workspaceNode } from './bootstrap.mjs';
import { portTrouble } from './free-port.mjs';

// Said at once instead of after the build. Everything else about PORT and HOST is the server's to judge.
const port = Number(process.env['PORT'] || 3000);
if (Number.isInteger(port) && port > 0 && port <= 65_535) {
  const trouble = await portTrouble(port, process.env['HOST'] || '127.0.0.1');
  if (trouble === 'EADDRINUSE')
    fail(`Port ${port} is taken. Choose another: PORT=${port < 65_535 ? port + 1 : 3000} npm run demo`);
}
await install();
await step('Building the packages and the page', async () => {
  const packages = [
    '-r',
    '--parallel',
    '--reporter-hide-prefix',
    '--filter',
    './packages/*',
    '--filter',
    './server-kit',
  ];
  let code = await run('pnpm', ['--silent', ...packages, 'run', 'build:js'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (code === 0) {
    code = await run('pnpm', ['--silent', '--filter', '@ziggie/example-control-center', 'build'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  if (code === 130 || code === 143) process.exit(code);
  if (code !== 0) fail('The build failed; the lines above say why.');
});
process.exitCode = await run(workspaceNode, ['src/server.ts'], {
  cwd: join(root, 'examples/control-center'),
});
