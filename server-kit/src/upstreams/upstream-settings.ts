import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { AllowedHosts } from '../discovery/allowed-hosts.ts';
import type { CacheSaltScope } from './cache-salt.ts';

/** How an upstream speaks. */
export type UpstreamDialect = 'ollama' | 'openai';

/** One model server behind the kit. */
export interface UpstreamOptions {
  /**
   * Such as `http://127.0.0.1:11434`, or `https://api.example/v1` for a server that speaks OpenAI's dialect; `/v1` is
   * added to one without a path.
   */
  url: string;
  /** What administrators see it called. Default: made from its address. */
  name?: string | undefined;
  /**
   * How it speaks: `ollama` (default), `vllm`, or `openai` for SGLang, llama.cpp and services in the cloud. `vllm` is
   * `openai` with `cacheSalt`.
   */
  dialect?: UpstreamDialect | 'vllm' | undefined;
  /**
   * Who shares the prefix cache of a vLLM: the members of a `tenant` (default with `vllm`), each `user` with nobody, or
   * `false` for all with all (default with `openai`). Shared by all, the time to the first token tells one tenant whether
   * another has sent the same beginning of a prompt. Callers without a tenant are kept apart from those with one, and not
   * from each other: without tenants nothing is sent. The salt is made with the pepper of `auth.keys`; where there is none
   * each process of the kit has its own, and they share nothing with each other.
   */
  cacheSalt?: CacheSaltScope | false | undefined;
  /**
   * Answers at once per model: what the server really runs at once (`OLLAMA_NUM_PARALLEL`, vLLM's `--max-num-seqs`),
   * so that order and cancel stay with the kit. Default: learned, from 1 upwards.
   */
  slots?: number | undefined;
  /** Answers at once over all its models. Default no limit beyond `slots`. */
  maxInFlight?: number | undefined;
  /** Sent as `Authorization: Bearer`. Never logged or shown. */
  apiKey?: string | undefined;
  /** How much it is preferred where all else is equal: 2 gets about twice the requests of 1. Default 1. */
  weight?: number | undefined;
}

/** An upstream's options with every default in place. */
export interface UpstreamSettings {
  /** Stable over reloads and equal on every node: the name, else made from the address. */
  id: string;
  url: URL;
  dialect: UpstreamDialect;
  slots: number | undefined;
  maxInFlight: number;
  apiKey: string | undefined;
  weight: number;
  cacheSalt: CacheSaltScope | undefined;
  connectMs: number;
  /** It was found rather than named: it must answer before it is used, and connections may go only where these say. */
  allowed?: AllowedHosts | undefined;
}

/** The zod schema of {@link UpstreamOptions}. */
export const upstreamSchema = z.strictObject({
  url: z.string().refine(isUpstreamUrl, {
    error:
      'must be an http or https URL without credentials, query or fragment, such as "http://gpu-1:11434"',
  }),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
      error: 'must be 1 to 64 letters, digits, ".", "_" or "-", such as "gpu-1"',
    })
    .optional(),
  dialect: z.enum(['ollama', 'openai', 'vllm']).optional(),
  cacheSalt: z.union([z.enum(['tenant', 'user']), z.literal(false)]).optional(),
  slots: z.int().min(1).max(10_000).optional(),
  maxInFlight: z.int().min(1).max(100_000).optional(),
  apiKey: z
    .string()
    .regex(/^[\x21-\x7e]{1,4096}$/, { error: 'must be printable ASCII without spaces' })
    .optional(),
  weight: z.number().positive().max(1000).optional(),
});

/**
 * The settings of a list of upstreams that {@link upstreamSchema} has accepted.
 *
 * @throws {TypeError} when two have one id, or one has what its dialect cannot do.
 */
export function upstreamSettings(list: readonly UpstreamOptions[], connectMs: number): UpstreamSettings[] {
  const seen = new Set<string>();
  return list.map((options) => {
    const { dialect: spoken = 'ollama', slots, maxInFlight, apiKey, weight = 1 } = options;
    const dialect = spoken === 'vllm' ? 'openai' : spoken;
    const { cacheSalt = spoken === 'vllm' ? 'tenant' : false } = options;
    const url = new URL(options.url);
    if (dialect === 'openai' && url.pathname === '/') url.pathname = '/v1';
    const id = options.name ?? idOf(url, dialect);
    if (cacheSalt !== false && dialect === 'ollama') {
      throw new TypeError(`createServerKit(): cacheSalt is for vLLM, and "${id}" speaks Ollama's dialect.`);
    }
    if (seen.has(id)) {
      throw new TypeError(
        `createServerKit(): two upstreams are "${options.name ?? 'the same address'}". Name each once.`,
      );
    }
    seen.add(id);
    return {
      id,
      url,
      dialect,
      slots,
      maxInFlight: maxInFlight ?? Number.POSITIVE_INFINITY,
      apiKey,
      weight,
      cacheSalt: cacheSalt === false ? undefined : cacheSalt,
      connectMs,
    };
  });
}

/** Tells upstreams apart without telling where they are. */
function idOf(url: URL, dialect: UpstreamDialect): string {
  return `u-${createHash('sha256').update(`${dialect} ${url.href}`).digest('hex').slice(0, 8)}`;
}

function isUpstreamUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}
