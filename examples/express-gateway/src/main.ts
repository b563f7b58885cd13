import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { configFromEnv, createServerKit, type EnvironmentConfig } from '@ziggie/llm-server-kit';
import { ziggieExpress, ziggieSockets } from '@ziggie/llm-server-kit/express';
import express from 'express';
import { logger } from './logger.ts';
import { openStores } from './open-stores.ts';

function readConfig(): EnvironmentConfig {
  try {
    return configFromEnv(process.env);
  } catch (thrown) {
    process.stderr.write(`${(thrown as Error).message}\n`);
    process.exit(78);
  }
}

const { options, listen, prefix, trustProxy, store } = readConfig();
const open = await openStores(store);
const kitOptions = { ...options, logger, stores: open.stores };
const kit = createServerKit(kitOptions);

const app = express();
app.disable('x-powered-by');
app.use(prefix === '' ? '/' : prefix, ziggieExpress(kit, { trustProxy }));

const server = createServer(app);
ziggieSockets(server, kit, { prefix, trustProxy });
// Whoever asks first whether an upload is wanted hears it from the kit.
server.on('checkContinue', (req, res) => server.emit('request', req, res));
server.listen(listen.port, listen.host);
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
logger.info({ port, host: listen.host, prefix, store: store.kind }, 'listening');

// The same environment read again: secrets in files may have changed. What is being answered goes on.
process.on('SIGHUP', () => {
  try {
    kit.reload({ ...kitOptions, ...configFromEnv(process.env).options });
    logger.info({}, 'configuration read again');
  } catch (thrown) {
    logger.error(
      { reason: (thrown as Error).message },
      'the new configuration is not valid, the old one stays',
    );
  }
});

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // A second time: at once.
    if (stopping) process.exit(1);
    stopping = true;
    void stop(signal);
  });
}

/** Refuses new work, lets answers finish, and goes. */
async function stop(signal: string): Promise<void> {
  logger.info({ signal }, 'stopping');
  await kit.close();
  open.close();
  server.close();
  server.closeIdleConnections();
  await once(server, 'close');
  logger.info({}, 'stopped');
}
