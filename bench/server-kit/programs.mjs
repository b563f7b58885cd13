// Programs of `targets/`, each a process of its own that says its port once it listens. Whatever fails in a script, none of
// them is left behind.
import { fork, spawnSync } from 'node:child_process';

const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill();
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** Starts a program. With `core` it and all that it starts itself run on that one. */
export function start(file, args = [], env = {}, core = undefined) {
  const child = fork(new URL(`./targets/${file}.mjs`, import.meta.url), args, {
    env: { ...process.env, ...env },
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  if (core !== undefined)
    spawnSync('taskset', ['-acp', String(core), String(child.pid)], { stdio: 'ignore' });
  return next(child, file).then(({ port }) => ({ child, port, file }));
}

/** Its next message, after it has been sent this one. */
export function ask({ child, file }, message) {
  const answer = next(child, file);
  child.send(message);
  return answer;
}

/** Ends a program, and waits until it is gone. */
export function stop({ child }) {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  return gone;
}

function next(child, file) {
  return new Promise((resolve, reject) => {
    const ended = (code) => reject(new Error(`${file} ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message);
    });
  });
}
