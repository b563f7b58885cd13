#!/usr/bin/env node
import { runCommand } from './node/command.ts';

void runCommand(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
}).then((result) => {
  if (result.exitCode !== undefined) {
    process.exitCode = result.exitCode;
    return;
  }
  const { close } = result;
  // Without server and timers nothing keeps the process alive.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close());
});
