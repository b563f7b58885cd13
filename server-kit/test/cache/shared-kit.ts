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
  const post = async (who: Who, body: object = question, more: Ask = {}) =>
    node.answer('/chat', {
      body,
      token: await node.token({ tenant: 'acme', roles: ['user'], ...who }),
      ...more,
    });
  /** Asks, and waits until the answer has begun; `begins` when a model must be asked for it. */
  const read = async (who: Who, { begins = false, body = question as object, more = {} as Ask } = {}) => {
    const { generations } = pacer;
    const answering = post(who, body, more);
    if (begins) await pacer.exchange(generations);
    else await settled();
    await node.clock.drive(501);
    return new EventReader(await answering);
  };
  return { pacer, node, post, read };
}

/** Until what was sent has arrived. */
export const settled = () => new Promise((resolve) => setTimeout(resolve, 30));
export const cacheOf = (reader: EventReader) => reader.response.headers.get('x-ziggie-cache');
export const isClosed = async (pacer: Pacer, at = 0) => (await pacer.exchange(at)).closed;
