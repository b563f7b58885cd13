import type { ServerKitOptions } from '../../src/index.ts';
import type { Ask } from '../harness.ts';
import { EventReader, type Pacer, startNode, startPacer } from '../streams/nodes.ts';
import { tenants, type Who } from './cached-kit.ts';

/** A question that can be answered again. */
export const question = {
  model: 'raw',
  messages: [{ role: 'user', content: 'Hello' }],
  options: { temperature: 0 },
};
export const ada: Who = { sub: 'ada' };
export const bob: Who = { sub: 'bob' };

/** A kit whose model server speaks word by word, and people who ask it the same. */
export async function startShared(options: Partial<ServerKitOptions> = {}) {
  const pacer = await startPacer();
  const node = await startNode(pacer, { ...tenants, cache: { keep: false }, ...options });
  let posted = 0;
  const post = async (who: Who, body: object = question, more: Ask = {}) => {
    posted++;
    const token = await node.token({ tenant: 'acme', roles: ['user'], ...who });
    return node.answer('/chat', { body, token, ...more });
  };
  /** Until the cache has seen everything that was posted. */
  const arrived = async () => {
    const token = await node.token({ sub: 'root', roles: ['admin'] });
    for (;;) {
      const { events } = (await (await node.answer('/admin/cache', { token })).json()) as {
        events: Record<string, number>;
      };
      const seen = ['hit', 'coalesced', 'miss', 'bypass'].map((what) => events[what] ?? 0);
      if (seen.reduce((sum, count) => sum + count, 0) >= posted) break;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await new Promise(setImmediate);
  };
  /** Asks, and waits until the answer has begun; `begins` when a model must be asked for it. */
  const read = async (who: Who, { begins = false, body = question as object, more = {} as Ask } = {}) => {
    const { generations } = pacer;
    const answering = post(who, body, more);
    await arrived();
    if (begins) await pacer.exchange(generations);
    await node.clock.drive(501);
    return new EventReader(await answering);
  };
  return { pacer, node, post, read, arrived };
}

export const cacheOf = (reader: EventReader) => reader.response.headers.get('x-ziggie-cache');
export const isClosed = async (pacer: Pacer, at = 0) => (await pacer.exchange(at)).closed;
