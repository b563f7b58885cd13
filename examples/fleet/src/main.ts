import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startFleet } from './fleet.ts';
import { createPageServer } from './page-server.ts';

const port = Number(process.env['PORT'] || 3300);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function stopWith(message: string): never {
  process.stderr.write(`\n✗ ${message}\n`);
  process.exit(1);
}

if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  stopWith(`PORT is "${process.env['PORT']}", which is no port. Use a number from 0 to 65535.`);
}

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second one does not wait; neither does one that comes while everything starts.
    if (stopping || !fleet) process.exit(130);
    stopping = true;
    server?.closeAllConnections();
    server?.close();
    fleet.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

let server: ReturnType<typeof createPageServer> | undefined;
let fleet: Awaited<ReturnType<typeof startFleet>> | undefined;
say('Starting three model servers, a store and two kits …');
fleet = await startFleet().catch((error: Error) => stopWith(error.message));
server = createPageServer(fleet).listen(port, '127.0.0.1');
await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'EADDRINUSE')
    stopWith(`Port ${port} is taken. Choose another: PORT=${port + 1} npm start`);
  if (error.code === 'EACCES')
    stopWith(`Port ${port} needs more rights. Choose one above 1023: PORT=3300 npm start`);
  throw error;
});
fleet.setTraffic(process.env['TRAFFIC'] !== 'off');

say('');
say(
  fleet.hasRedis
    ? 'Both kits keep keys, limits and revocations in one Redis.'
    : 'No redis-server here: each kit keeps keys and limits in its own memory, so limits count per kit. ' +
        'Install it (Debian: apt-get install redis-server) to see them shared.',
);
say(`The kits: ${fleet.kitUrls.join(' and ')}`);
say('');
say(`  ➜  http://localhost:${(server.address() as AddressInfo).port}/`);
say('');
say('Ctrl-C stops everything.');
