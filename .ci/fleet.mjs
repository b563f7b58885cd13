/** `pnpm fleet`: installs, then starts examples/fleet from the sources and prints its URL. Ctrl-C ends all of it. */

import { join } from 'node:path';
import { install, root, run, workspaceNode } from './bootstrap.mjs';

await install();
process.exitCode = await run(workspaceNode, ['--conditions=@ziggie/source', 'src/main.ts'], {
  cwd: join(root, 'examples/fleet'),
});
