/** What {@link measureStream} found. */
export interface StreamReport {
  /**
   * `one-by-one`: tokens arrive as they are written. `in-batches`: something on the way holds some of them back.
   * `all-at-once`: it holds back the whole answer.
   */
  verdict: 'one-by-one' | 'in-batches' | 'all-at-once';
  /** Pieces that were sent. */
  sent: number;
  /** Reads in which they arrived; at best as many. */
  arrivals: number;
  /** Longest time that a piece was held back compared with the quickest one, in ms. */
  heldBackMs: number;
  /** What to look at, for the verdicts that are not `one-by-one`. */
  hint: string | undefined;
}

/** Settings of {@link measureStream}. */
export interface MeasureOptions {
  /** Where the kit is mounted as users reach it, such as `https://app.example/api/llm`. */
  baseUrl: string;
  /** A token or key with the permission `selftest`. */
  credentials: string;
  /** Default: the global one. */
  fetch?: typeof fetch | undefined;
  /** Milliseconds. Default `performance.now`. */
  now?: (() => number) | undefined;
  signal?: AbortSignal | undefined;
}

/** What a piece may be late by on a busy machine and a far network before it counts as held back, in ms. */
const allowedMs = 200;

/**
 * Asks a kit for its self-test through everything that stands in front of it, and says whether tokens arrive one by one.
 * Takes about a second.
 *
 * @throws {Error} when the address does not answer the self-test: the message says with what it answered.
 *
 * @example
 * const { verdict, hint } = await measureStream({ baseUrl: 'https://app.example/api/llm', credentials: key });
 */
export async function measureStream(options: MeasureOptions): Promise<StreamReport> {
  const { baseUrl, credentials, now = () => performance.now(), signal } = options;
  const ask = options.fetch ?? fetch;
  const response = await ask(`${baseUrl.replace(/\/+$/, '')}/admin/selftest/stream`, {
    headers: { authorization: `Bearer ${credentials}` },
    redirect: 'error',
    signal: signal ?? null,
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(
      `measureStream(): the self-test answered ${response.status} instead of 200. Is baseUrl the kit's mount, and may the credentials do "selftest"?`,
    );
  }
  const { delaysMs, arrivals, isWhole } = await arrivalsOf(response.body, now);
  if (!isWhole) throw new Error('measureStream(): the self-test broke off before its end.');
  const heldBackMs = Math.round(Math.max(...delaysMs) - Math.min(...delaysMs));
  const verdict = heldBackMs <= allowedMs ? 'one-by-one' : arrivals <= 2 ? 'all-at-once' : 'in-batches';
  return { verdict, sent: delaysMs.length, arrivals, heldBackMs, hint: hints[verdict] };
}

const hints = {
  'one-by-one': undefined,
  'in-batches':
    'Something between you and the kit gathers small pieces: a compressing middleware or proxy, most likely. Let it leave alone what has Cache-Control: no-transform.',
  'all-at-once':
    'Something between you and the kit keeps the answer until it is whole. In nginx: proxy_buffering off, or let X-Accel-Buffering through. In Caddy: no encode for application/x-ndjson.',
} as const;

async function arrivalsOf(body: ReadableStream<Uint8Array>, now: () => number) {
  const decoder = new TextDecoder();
  const delaysMs: number[] = [];
  let arrivals = 0;
  let rest = '';
  let isWhole = false;
  const reader = body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const at = now();
    arrivals++;
    const lines = (rest + decoder.decode(read.value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const record: unknown = line.trim() === '' ? undefined : JSON.parse(line);
      const { type, text } = (record ?? {}) as { type?: unknown; text?: unknown };
      if (type === 'done') isWhole = true;
      else if (type === 'text-delta') delaysMs.push(at - Number(text));
    }
  }
  return { delaysMs, arrivals, isWhole };
}
