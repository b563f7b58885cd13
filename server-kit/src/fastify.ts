export { type ZiggieFastifyOptions, ziggieFastify } from './fastify/ziggie-fastify.ts';
export type { TrustProxy } from './node/client-address.ts';
export type { DoorOptions } from './node/door-options.ts';
