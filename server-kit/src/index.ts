export { type Clock, systemClock } from './clock.ts';
export type { Connection } from './connection.ts';
export { createServerKit } from './kit.ts';
export type {
  JwtOptions,
  KitGauges,
  Principal,
  ServerKit,
  ServerKitOptions,
  UpstreamOptions,
} from './kit-types.ts';
export type { Logger } from './log/logger.ts';
