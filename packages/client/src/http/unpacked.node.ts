import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

const unpackers: Readonly<Record<string, () => Transform>> = {
  // What was packed so far is handed out at once: these are streams.
  gzip: () => createGunzip({ flush: constants.Z_SYNC_FLUSH }),
  'x-gzip': () => createGunzip({ flush: constants.Z_SYNC_FLUSH }),
  deflate: () => createInflate({ flush: constants.Z_SYNC_FLUSH }),
  br: () => createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH }),
};

/**
 * The bytes of a body that a proxy packed though nobody asked for it, as `fetch` gives them too. Unpacked as they are
 * read, so a small body that grows without end meets the limits of its reader.
 *
 * @returns `undefined` when it is packed more than once or in another way.
 */
export function unpacked(incoming: IncomingMessage): Readable | undefined {
  const encoding = incoming.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return incoming;
  const unpacker = Object.hasOwn(unpackers, encoding) ? unpackers[encoding]?.() : undefined;
  // Failures reach whoever reads the unpacker; closing it closes the connection.
  return unpacker && pipeline(incoming, unpacker, () => {});
}
