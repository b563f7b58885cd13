export type { ContinuationOptions } from './answer/continuation.ts';
export type { JwtAlgorithm, JwtOptions, KeyOptions, PublicKey } from './auth/auth-types.ts';
export {
  defaultRoles,
  type Permission,
  permissions,
  type RoleGrant,
  type RoleTable,
} from './auth/permissions.ts';
export { MemoryRevocationStore, type RevocationStore } from './auth/revocation-store.ts';
export type { Revocation, Revocations } from './auth/revocations.ts';
export type { CacheOptions, SemanticOptions, WarmRequest } from './cache/cache-options.ts';
export type { CacheBounds, CacheFound, CacheKey, CachePurge, CacheStore } from './cache/cache-store.ts';
export { MemoryCacheStore } from './cache/memory-cache-store.ts';
export { type Clock, systemClock } from './clock.ts';
export {
  type ConfigFromEnvOptions,
  configFromEnv,
  type EnvironmentConfig,
} from './config/config-from-env.ts';
export type { Connection } from './connection.ts';
export {
  type ContentBody,
  type ContentChannel,
  type ContentFacts,
  type ContentOptions,
  ContentRefused,
} from './content/content-options.ts';
export type { RedactKind } from './content/detectors.ts';
export {
  type DnsDiscoveryOptions,
  discoverByDns,
  type ServiceRecord,
} from './discovery/discover-by-dns.ts';
export { discoverByFile, type FileDiscoveryOptions } from './discovery/discover-by-file.ts';
export {
  discoverByKubernetes,
  type KubernetesDiscoveryOptions,
} from './discovery/discover-by-kubernetes.ts';
export type { AskKubernetes, KubernetesAccess, KubernetesAnswer } from './discovery/kubernetes-api.ts';
export type {
  DiscoveryListener,
  DiscoveryOptions,
  UpstreamDiscovery,
} from './discovery/upstream-discovery.ts';
export { type KeyRecord, type KeyStore, MemoryKeyStore } from './keys/key-store.ts';
export type { CreateKeyOptions, KeyInfo, Keys, NewKey, RerollKeyOptions } from './keys/keys.ts';
export { createServerKit } from './kit.ts';
export type {
  KitGauges,
  Principal,
  ServerKit,
  ServerKitOptions,
  Stores,
} from './kit-types.ts';
export type { Rate } from './limits/gcra.ts';
export type { LimitRule, LimitScope, LimitUnit, ModelPrice } from './limits/limit-rules.ts';
export type {
  Charge,
  GaugeLine,
  GaugeState,
  LimitAnswer,
  LimitAsk,
  LimitStore,
  QuotaLine,
  QuotaState,
  RateLine,
  RateState,
} from './limits/limit-store.ts';
export { MemoryLimitStore } from './limits/memory-limit-store.ts';
export type { WindowUnit } from './limits/window.ts';
export type { Logger } from './log/logger.ts';
export type { ModelAdminOptions } from './models/model-admin-options.ts';
export type { QueueOptions } from './queue/queue-options.ts';
export type { AliasTarget, Fallback, FallbackReason, RoutingOptions } from './routing/routing-options.ts';
export { type MeasureOptions, measureStream, type StreamReport } from './selftest/measure-stream.ts';
export { MemoryStreamStore } from './streams/memory-stream-store.ts';
export type { ResumeOptions } from './streams/stream-settings.ts';
export type {
  Claim,
  Eventually,
  StreamBounds,
  StreamHead,
  StreamPage,
  StreamStore,
  WriterNews,
} from './streams/stream-store.ts';
export type { HedgingOptions } from './upstreams/hedging.ts';
export type { UpstreamDialect, UpstreamOptions } from './upstreams/upstream-settings.ts';
export type { AcceptUpgrade, KitSocket, SocketEvents, SocketTerms, UpgradeOutcome } from './ws/kit-socket.ts';
export type { SocketOptions } from './ws/socket-settings.ts';
export { MemoryTicketStore, type TicketRecord, type TicketStore } from './ws/ticket-store.ts';
