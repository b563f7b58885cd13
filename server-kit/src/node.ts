export type { TrustProxy } from './node/client-address.ts';
export type { DoorOptions } from './node/door-options.ts';
export { type NodeListener, type ZiggieNodeOptions, ziggieNode } from './node/ziggie-node.ts';
export { type SocketMount, ziggieSockets } from './node/ziggie-sockets.ts';
