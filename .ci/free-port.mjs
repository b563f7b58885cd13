/** Whether a port can be listened on, asked before anything long begins. */
import { createServer } from 'node:net';

/** @returns {Promise<string | null>} the error code of listening there, or `null` when it is free. */
export function portTrouble(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(error.code ?? 'UNKNOWN'));
    server.listen({ port, host }, () => server.close(() => resolve(null)));
  });
}
