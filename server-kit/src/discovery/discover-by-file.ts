import { open } from 'node:fs/promises';
import { parseJson } from '@ziggie/llm-protocol';
import type { UpstreamOptions } from '../upstreams/upstream-settings.ts';
import { NotFound, polling } from './polling.ts';
import type { UpstreamDiscovery } from './upstream-discovery.ts';

/** Settings of {@link discoverByFile}. */
export interface FileDiscoveryOptions {
  path: string;
  /** Time between two looks, in ms. Default 2 s. */
  everyMs?: number | undefined;
}

const maxBytes = 1024 * 1024;

/**
 * Finds model servers in a file: a JSON list of `UpstreamOptions` or of addresses, at most 1 MiB. It is read again and again
 * rather than watched, so that mounted volumes, links that are swapped and network disks work too. A file that is half
 * written is no list, and the last one stays.
 */
export function discoverByFile({ path, everyMs = 2000 }: FileDiscoveryOptions): UpstreamDiscovery {
  return polling(async () => listOf(await textOf(path)), everyMs);
}

async function textOf(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    // Not what it says of its length: that may change, and of a device it is 0.
    const bytes = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      if (bytesRead === 0) return bytes.toString('utf8', 0, length);
      length += bytesRead;
      if (length > maxBytes) throw new NotFound('the file is longer than 1 MiB');
    }
  } finally {
    await file.close();
  }
}

function listOf(text: string): UpstreamOptions[] {
  let list: unknown;
  try {
    list = parseJson(text);
  } catch {
    throw new NotFound('the file is not JSON');
  }
  if (!Array.isArray(list)) throw new NotFound('the file is not a JSON list');
  return list.map((one) => (typeof one === 'string' ? { url: one } : (one as UpstreamOptions)));
}
