export { type Clock, systemClock } from './clock.ts';
export type { Connection } from './connection.ts';
export {
  type ContentBody,
  type ContentChannel,
  type ContentFacts,
  type ContentOptions,
  ContentRefused,
} from './content/content-options.ts';
export type { RedactKind } from './content/detectors.ts';
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
export type { AcceptUpgrade, KitSocket, SocketEvents, SocketTerms, UpgradeOutcome } from './ws/kit-socket.ts';
export type { SocketOptions } from './ws/socket-settings.ts';
export { MemoryTicketStore, type TicketRecord, type TicketStore } from './ws/tickets.ts';
