import cluster from 'node:cluster';
import { lookup } from 'node:dns/promises';
import { parseJson } from '@ziggie/llm-protocol';
import { MemoryRevocationStore } from '../auth/revocation-store.ts';
import type { Connection } from '../connection.ts';
import { MemoryKeyStore } from '../keys/key-store.ts';
import type { KitParts } from '../kit-parts.ts';
import type { ServerKitOptions } from '../kit-types.ts';
import { MemoryLimitStore } from '../limits/memory-limit-store.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { MemoryTicketStore } from '../ws/ticket-store.ts';
import { openAdvisories } from './advisories.ts';
import { type DoctorCode, type Finding, findings, tell } from './findings.ts';
import { isOneOfSeveral, isPublicAddress, isWeakSecret } from './judge.ts';

/** How long the model server is given to say its version, in ms, and the longest that is read of it. */
const askMs = 2000;
const maxVersionLength = 4096;
const maxClockDifferenceMs = 60_000;

/**
 * Looks at the set-up on the first request and says once, in the log, what is wrong with it and how to mend it. It changes
 * nothing, holds up no request, and a look that fails is no finding.
 */
export class Doctor {
  readonly #said = new Set<DoctorCode>();
  #looked = false;

  /** Other options: everything that was not said yet may be. */
  reset(): void {
    this.#looked = false;
  }

  /** Called for every request; all but the first cost some comparisons. */
  see(parts: KitParts, options: ServerKitOptions, connection: Connection): void {
    if (connection.parsedBody !== undefined) this.#say(parts, findings.bodyParserInFront);
    if (connection.trustsTooMuch) this.#say(parts, findings.trustProxyWide);
    // Known once a token has come, so looked at again and again.
    if (parts.identity.issuerClockDifferenceMs() > maxClockDifferenceMs)
      this.#say(parts, findings.issuerClockOff);
    if (this.#looked) return;
    this.#looked = true;
    if (secretsOf(options).some(isWeakSecret)) this.#say(parts, findings.weakSecret);
    if (isOneOfSeveral(cluster.isWorker, process.env) && isKeptInMemory(parts)) {
      this.#say(parts, findings.memoryStoreShared);
    }
    for (const upstream of parts.upstreams.all) {
      void this.#lookAtAddress(parts, upstream).catch(() => {});
      if (upstream.dialect === 'ollama') void this.#lookAtVersion(parts, upstream).catch(() => {});
    }
  }

  async #lookAtAddress(parts: KitParts, { settings }: Upstream): Promise<void> {
    const { protocol, hostname } = settings.url;
    if (protocol !== 'http:') return;
    const addresses = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true });
    if (addresses.some(({ address }) => isPublicAddress(address))) this.#say(parts, findings.upstreamPublic);
  }

  async #lookAtVersion(parts: KitParts, { transport }: Upstream): Promise<void> {
    const { clock } = parts.settings;
    const giveUp = new AbortController();
    const cancel = clock.setTimer(() => giveUp.abort(), askMs);
    try {
      const answer = await transport.send({
        method: 'GET',
        path: '/api/version',
        signal: giveUp.signal,
      });
      const date = Date.parse(answer.date ?? '');
      if (Math.abs(date - clock.wallNow()) > maxClockDifferenceMs) this.#say(parts, findings.clockOff);
      let text = '';
      for (let chunk = await answer.body.read(); chunk !== null; chunk = await answer.body.read()) {
        text += Buffer.from(chunk).toString('utf8');
        if (text.length > maxVersionLength) return;
      }
      const { version } = (parseJson(text) ?? {}) as { version?: unknown };
      const open = typeof version === 'string' ? openAdvisories(version) : [];
      if (open.length > 0) this.#say(parts, findings.upstreamOutdated, { advisories: open });
    } finally {
      cancel();
      giveUp.abort();
    }
  }

  #say(parts: KitParts, finding: Finding, more: Record<string, unknown> = {}): void {
    if (this.#said.has(finding.code)) return;
    this.#said.add(finding.code);
    tell(parts.settings.logger, finding, more);
  }
}

/** Whether anything that processes have to know of each other is in the memory of this one. */
function isKeptInMemory({ settings: { stores, keys, sockets } }: KitParts): boolean {
  return (
    stores.limits instanceof MemoryLimitStore ||
    stores.revocations instanceof MemoryRevocationStore ||
    (keys !== undefined && stores.keys instanceof MemoryKeyStore) ||
    (sockets.enabled && stores.tickets instanceof MemoryTicketStore)
  );
}

function secretsOf({ auth }: ServerKitOptions): (string | Uint8Array)[] {
  const issuers = auth?.jwt === undefined ? [] : [auth.jwt].flat();
  return issuers.flatMap(({ secret }) =>
    secret === undefined
      ? []
      : typeof secret === 'string' || secret instanceof Uint8Array
        ? [secret]
        : [...secret],
  );
}
