import type { Logger } from '../log/logger.ts';

/** What the doctor can find. docs/errors.md has a section for each. */
export const doctorCodes = [
  'trust_proxy_wide',
  'body_parser_in_front',
  'memory_store_shared',
  'weak_secret',
  'upstream_public',
  'upstream_outdated',
  'clock_off',
  'issuer_clock_off',
  'discovery_stale',
  'upstreams_refused',
] as const;

/** One of them. */
export type DoctorCode = (typeof doctorCodes)[number];

/** What is wrong with a set-up that works, and how to mend it. Holds no secret and no address. */
export interface Finding {
  code: DoctorCode;
  message: string;
  cure: string;
}

const finding = (code: DoctorCode, message: string, cure: string): Finding => ({ code, message, cure });

/** Every finding in words. */
export const findings = {
  trustProxyWide: finding(
    'trust_proxy_wide',
    'trustProxy believes more addresses than a set of proxies has, so clients among them choose their own address.',
    'List the proxies themselves, or a range no wider than theirs.',
  ),
  bodyParserInFront: finding(
    'body_parser_in_front',
    'A body parser reads bodies before the kit knows who is asking, up to its own limit.',
    'Mount the kit before the parser (before express.json()).',
  ),
  memoryStoreShared: finding(
    'memory_store_shared',
    'Several processes run, and each has limits, revocations, API keys or tickets of sockets that the others do not know of.',
    'Give stores that they share: createRedisStores(), or createSqliteStores() on one machine.',
  ),
  weakSecret: finding(
    'weak_secret',
    'The secret of the tokens is long enough but easy to guess.',
    'Make one with: openssl rand -base64 48',
  ),
  upstreamPublic: finding(
    'upstream_public',
    'The model server has a public address and is spoken to without TLS: whoever finds it can use it and read along.',
    'Let it listen on a private address only, or put TLS and a credential in front of it.',
  ),
  upstreamOutdated: finding(
    'upstream_outdated',
    'The version of the model server has known security holes.',
    'Update it.',
  ),
  clockOff: finding(
    'clock_off',
    "This machine's clock differs from the model server's by more than a minute: tokens end too early or too late.",
    'Set both clocks by NTP.',
  ),
  issuerClockOff: finding(
    'issuer_clock_off',
    "This machine's clock differs from the token issuer's by more than a minute: good tokens are refused, or expired ones are not.",
    'Set both clocks by NTP.',
  ),
  discoveryStale: finding(
    'discovery_stale',
    'Looking for model servers gave nothing: the last list is used until it gives one again.',
    'See to the source of discovery (reason says what it met).',
  ),
  upstreamsRefused: finding(
    'upstreams_refused',
    'Model servers that were found are left out: not well formed, or not where they may be.',
    'Correct them in the source, or list their hosts or networks in discovery.allow.',
  ),
} as const;

/** Puts a finding into the log, with where to read more. */
export function tell(
  logger: Logger,
  { code, message, cure }: Finding,
  more: Readonly<Record<string, unknown>> = {},
): void {
  logger.warn({ code, cure, docs: `docs/errors.md#${code}`, ...more }, message);
}
