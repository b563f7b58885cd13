import { hash } from 'node:crypto';
import type { Rights } from '../auth/permissions.ts';
import { KitFailure } from '../failure.ts';
import type { Principal } from '../kit-types.ts';
import { ownerKeyOf } from './owner-key.ts';
import type { ResumeSettings } from './stream-settings.ts';
import type { Claim } from './stream-store.ts';
import { type FoundStream, newStreamId, type Streams, stored } from './streams.ts';

/** Longer than any answer takes: loading, first token and writing have limits of their own. */
const claimLifeMs = 3_600_000;
/** Between a key whose run is gone and the next try somebody else may take it. */
const maxTries = 4;

const keyForm = /^[\x21-\x7e]{1,255}$/;

/** A key that a request has taken: its run gets this id. */
export interface Claimed {
  kind: 'claimed';
  id: string;
  /** Gives the key back: its run has failed, and the next one with it asks anew. */
  release(): void;
}

/** A key whose run is there already. */
export interface Joined {
  kind: 'joined';
  stream: FoundStream;
}

/** What a request with an `Idempotency-Key` asks. */
export interface KeyedRequest {
  /** The header. */
  key: string;
  principal: Principal;
  rights: Rights;
  model: string;
  /** Everything that is asked, in one form: what differs in it is another question. */
  canonical: string;
}

/**
 * Finds the run that a key stands for, or makes the key stand for a new one. Keys are a principal's own.
 *
 * @throws {KitFailure} `bad_request` for a key that is none, or that stands for another question; `store_unavailable`.
 */
export async function claimKey(
  streams: Streams,
  { key, principal, rights, model, canonical }: KeyedRequest,
  settings: ResumeSettings,
): Promise<Claimed | Joined> {
  if (!keyForm.test(key)) {
    throw new KitFailure('bad_request', 'Idempotency-Key: must be 1 to 255 visible ASCII characters.');
  }
  const ownerKey = ownerKeyOf(principal);
  const { claims } = streams;
  const name = hashOf(`${ownerKey}\n${key}`);
  const bodyHash = hashOf(canonical);
  for (let tries = 0; tries < maxTries; tries++) {
    const id = newStreamId();
    let known: Claim | undefined;
    try {
      await streams.announce(id, { ownerKey, model }, settings);
      known = await stored(() => claims.claim(name, { id, bodyHash }, claimLifeMs));
    } catch (thrown) {
      // A store that did not say so in time may have noted it all the same: the key would stand for nothing.
      void release(streams, name, id);
      void streams.forget(id);
      throw thrown;
    }
    if (known === undefined) {
      return { kind: 'claimed', id, release: () => void release(streams, name, id) };
    }
    await streams.forget(id);
    if (known.bodyHash !== bodyHash) {
      throw new KitFailure(
        'bad_request',
        'Idempotency-Key: this key was used for another request. Use a new key for each question.',
      );
    }
    try {
      return { kind: 'joined', stream: await streams.find(known.id, principal, rights) };
    } catch (thrown) {
      if (!(thrown instanceof KitFailure && thrown.code === 'not_found')) throw thrown;
      // Its run is kept no longer.
      await stored(() => claims.unclaim(name, known.id));
    }
  }
  throw new KitFailure(
    'server_busy',
    'Too many requests came with this Idempotency-Key at once. Try again.',
    {
      retryAfterMs: 1000,
    },
  );
}

async function release(streams: Streams, name: string, id: string): Promise<void> {
  try {
    await streams.claims.unclaim(name, id);
  } catch {
    // The next one with this key finds that its run is gone.
  }
}

function hashOf(text: string): string {
  return hash('sha256', text, 'base64url');
}
