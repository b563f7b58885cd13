import { readFile } from 'node:fs/promises';
import { Pool } from 'undici';

/** An answer of the cluster's API. */
export interface KubernetesAnswer {
  status: number;
  /** What is not read to its end is to be given up by `signal`. */
  body: AsyncIterable<Uint8Array>;
}

/** Carries a GET to the cluster's API. Rejects when it cannot be reached. */
export type AskKubernetes = (
  path: string,
  ask: { token: string | undefined; signal: AbortSignal },
) => Promise<KubernetesAnswer>;

/** Where the cluster's API is, and who asks. */
export interface KubernetesAccess {
  /** Default: as the cluster says in a pod (`KUBERNETES_SERVICE_HOST`), else `https://kubernetes.default.svc`. */
  apiServer?: string | undefined;
  /** Read again for each request: the cluster renews it. Default: where a pod has it. */
  tokenFile?: string | undefined;
  /** Who signs the API's certificate, as PEM. Default: where a pod has it. */
  caFile?: string | undefined;
  /** Instead of a connection of our own. `tokenFile` is read all the same, `caFile` is not. */
  ask?: AskKubernetes | undefined;
}

const account = '/var/run/secrets/kubernetes.io/serviceaccount';
const connectMs = 5000;

/** The API as a pod reaches it. It is asked from one connection pool until it is closed. */
export class KubernetesApi {
  readonly #access: KubernetesAccess;
  readonly #url: URL;
  #pool: Promise<Pool> | undefined;

  /** @throws {TypeError} for an address that is none. */
  constructor(access: KubernetesAccess, env: Readonly<Record<string, string | undefined>>) {
    this.#access = access;
    const url = URL.parse(access.apiServer ?? addressIn(env));
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
      throw new TypeError(
        'discoverByKubernetes(): apiServer must be an https URL such as "https://kubernetes.default.svc".',
      );
    }
    this.#url = url;
  }

  /** GET of a path. @throws whatever keeps it from being asked. */
  async get(path: string, signal: AbortSignal): Promise<KubernetesAnswer> {
    const token = await this.#token();
    const target = `${this.#url.pathname.replace(/\/+$/, '')}${path}`;
    if (this.#access.ask) return this.#access.ask(target, { token, signal });
    this.#pool ??= this.#open();
    // A certificate that could not be read is looked for again.
    this.#pool.catch(() => {
      this.#pool = undefined;
    });
    const pool = await this.#pool;
    const { statusCode, body } = await pool.request({
      method: 'GET',
      path: target,
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      signal,
    });
    return { status: statusCode, body };
  }

  async close(): Promise<void> {
    await (await this.#pool?.catch(() => undefined))?.destroy();
  }

  async #open(): Promise<Pool> {
    const { caFile = `${account}/ca.crt` } = this.#access;
    const ca = this.#url.protocol === 'https:' ? await readFile(caFile, 'utf8') : undefined;
    return new Pool(this.#url.origin, {
      connections: 2,
      // A watch is silent for as long as nothing happens; whoever reads it has a clock.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
      connect: { timeout: connectMs, ...(ca === undefined ? {} : { ca }) },
    });
  }

  /** The token for one request. It is never sent in the clear: over http there is none. */
  async #token(): Promise<string | undefined> {
    const { tokenFile, ask } = this.#access;
    if (tokenFile === undefined && ask) return undefined;
    if (this.#url.protocol !== 'https:' && !ask) return undefined;
    const text = (await readFile(tokenFile ?? `${account}/token`, 'utf8')).trim();
    return text === '' ? undefined : text;
  }
}

function addressIn(env: Readonly<Record<string, string | undefined>>): string {
  const host = env['KUBERNETES_SERVICE_HOST'];
  if (!host) return 'https://kubernetes.default.svc';
  const port = env['KUBERNETES_SERVICE_PORT_HTTPS'] ?? env['KUBERNETES_SERVICE_PORT'] ?? '443';
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
