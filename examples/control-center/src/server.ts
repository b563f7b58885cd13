import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createApp } from './app.ts';
import { chooseUpstream, type Source } from './upstream.ts';

// Set to nothing is as good as not set: Number('') would be port 0.
const port = Number(process.env['PORT'] || 3000);
const host = process.env['HOST'] || '127.0.0.1';
const page = fileURLToPath(new URL('../dist-web/', import.meta.url));

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function stopWith(message: string): never {
  process.stderr.write(`\n✗ ${message}\n`);
  process.exit(1);
}

function describe(source: Source): string {
  if (source.kind === 'stand-in') {
    return 'Answers come from the built-in stand-in. For a real model: install Ollama, run "ollama pull llama3.2", start again.';
  }
  switch (source.state) {
    case 'ok':
      return `Answers come from Ollama at ${source.address}.`;
    case 'no-models':
      return `Ollama answers at ${source.address} but has no model yet. Pull one: ollama pull llama3.2`;
    case 'unreachable':
      return `OLLAMA_HOST is ${source.address}, but no Ollama answers there. Start it ("ollama serve") or unset OLLAMA_HOST.`;
  }
}

if (!Number.isInteger(port) || port < 0 || port > 65535) {
  stopWith(`PORT is "${process.env['PORT']}", which is no port. Use a number from 1 to 65535.`);
}
if (!existsSync(page))
  stopWith('The page is not built yet. Run "npm run demo" at the top of the repository.');

const upstream = await chooseUpstream(process.env).catch((error: Error) => stopWith(error.message));
const app = await createApp({ upstream, page, production: process.env['NODE_ENV'] === 'production' });

try {
  await app.listen({ port, host });
} catch (error) {
  await app.close();
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    stopWith(`Port ${port} is taken. Choose another: PORT=${port < 65_535 ? port + 1 : 3000} npm run demo`);
  if (code === 'EACCES')
    stopWith(`Port ${port} needs more rights. Choose one above 1023: PORT=3000 npm run demo`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    stopWith(`HOST is "${host}", which is not an address of this machine.`);
  throw error;
}

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second one does not wait.
    if (stopping) process.exit(130);
    stopping = true;
    app.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

const address = app.server.address() as AddressInfo;
const shownHost = host === '127.0.0.1' || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
say('');
say(describe(await upstream.describe()));
say('');
say(`  ➜  http://${shownHost}:${address.port}/`);
say('');
say('Ctrl-C stops everything.');
