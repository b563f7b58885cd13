export { type ExpressMiddleware, ziggieExpress } from './express/ziggie-express.ts';
export type { TrustProxy } from './node/client-address.ts';
export type { DoorOptions } from './node/door-options.ts';
export { type SocketMount, ziggieSockets } from './node/ziggie-sockets.ts';
