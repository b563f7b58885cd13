import type { StartEvent } from '@ziggie/llm-protocol';
import { HeaderList } from './answer/header-list.ts';
import type { Admission } from './auth/credential-watch.ts';
import { noRights, type Rights } from './auth/permissions.ts';
import type { Clock } from './clock.ts';
import type { KitFailure } from './failure.ts';
import type { Principal } from './kit-types.ts';
import { addLimitHeaders, addOpenAiLimitHeaders } from './limits/limit-headers.ts';
import type { LimitStatus } from './limits/limit-status.ts';
import type { Logger } from './log/logger.ts';
import type { EndedRequest, RequestMetrics } from './metrics/request-metrics.ts';
import type { Route } from './routes/route-table.ts';

/** The facts of one request as they become known, and its one log line. Holds no prompt, answer, token or key. */
export class RequestContext {
  readonly id: string;
  readonly method: string;
  readonly route: Route;
  /** Headers that every answer to this request carries. */
  readonly headers = new HeaderList();
  /** The client's address, as the door found it. */
  address = '';
  principal: Principal | undefined;
  /** How it was let in, to be looked at again while it runs. Absent for what a socket asks, which is looked at itself. */
  admission: Admission | undefined;
  /** What the principal may do. Without one, nothing. */
  rights: Rights = noRights;
  /** Every limit that was looked at, for the headers. */
  readonly limits: LimitStatus[] = [];
  /** The model that answers, and the name it was asked for by when that is another. */
  model: string | undefined;
  asked: string | undefined;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  /** Where the answer came from, in a kit that keeps or shares answers. */
  cache: StartEvent['cache'];
  /** Requests that were sent to model servers for it, and the server of the last one, or of the one that was faster. */
  attempts = 0;
  upstream: string | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: RequestMetrics | undefined;
  readonly #startedAt: number;
  #marks = '';
  #lastMarkAt: number;
  #logged = false;

  constructor(
    id: string,
    method: string,
    route: Route,
    clock: Clock,
    logger: Logger,
    metrics?: RequestMetrics,
  ) {
    this.id = id;
    this.method = method;
    this.route = route;
    this.#clock = clock;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#startedAt = clock.now();
    this.#lastMarkAt = this.#startedAt;
    this.headers.set('x-request-id', id);
    this.headers.set('x-content-type-options', 'nosniff');
  }

  /** Milliseconds since the request arrived. */
  get elapsedMs(): number {
    return this.#clock.now() - this.#startedAt;
  }

  /** Names the time since the last mark, for `Server-Timing` (W3C Server Timing). */
  mark(name: string): void {
    const now = this.#clock.now();
    this.#marks += `${name};dur=${tenths(now - this.#lastMarkAt)}, `;
    // What comes before that mark is the model server's time.
    if (this.#metrics && name !== 'upstream') this.#metrics.stage(name, now - this.#lastMarkAt);
    this.#lastMarkAt = now;
  }

  /** The headers with `Server-Timing` as far as it is known. */
  finalHeaders(): HeaderList {
    const told = this.limits.filter(
      ({ rule, fits }) => !fits || (rule.per !== 'address' && rule.kind !== 'gauge'),
    );
    addLimitHeaders(this.headers, told);
    if (this.route.path.startsWith('/v1/')) addOpenAiLimitHeaders(this.headers, told);
    this.headers.set('server-timing', `${this.#marks}total;dur=${tenths(this.elapsedMs)}`);
    return this.headers;
  }

  /** Writes the log line, once. */
  log(outcome: 'ok' | 'refused' | 'failed' | 'left', status: number, failure?: KitFailure): void {
    if (this.#logged) return;
    this.#logged = true;
    if (this.#metrics) this.#count(this.#metrics, outcome);
    const fields: Record<string, unknown> = {
      requestId: this.id,
      method: this.method,
      route: this.route.path,
      status,
      outcome,
      durationMs: Math.round(this.elapsedMs),
    };
    if (this.principal) fields['principal'] = this.principal.id;
    if (this.principal?.keyId !== undefined) fields['keyId'] = this.principal.keyId;
    if (this.principal?.tenant !== undefined) fields['tenant'] = this.principal.tenant;
    if (this.model !== undefined) fields['model'] = this.model;
    if (this.cache !== undefined) fields['cache'] = this.cache;
    if (this.asked !== undefined) fields['asked'] = shown(this.asked);
    if (this.inputTokens !== undefined) fields['inputTokens'] = this.inputTokens;
    if (this.outputTokens !== undefined) fields['outputTokens'] = this.outputTokens;
    if (this.upstream !== undefined) fields['upstream'] = this.upstream;
    if (this.attempts > 1) fields['attempts'] = this.attempts;
    if (failure) fields['code'] = failure.code;
    if (failure?.more.reason !== undefined) fields['reason'] = failure.more.reason;
    const level = failure?.code === 'internal_error' ? 'error' : outcome === 'failed' ? 'warn' : 'info';
    this.#logger[level](fields, 'llm request');
  }

  #count(metrics: RequestMetrics, outcome: EndedRequest['outcome']): void {
    const { route, method, inputTokens, outputTokens, limits } = this;
    metrics.ended({
      surface: method === 'WS' ? 'websocket' : (route.surface ?? 'native'),
      // A reader who comes back asks no model.
      model: route.operation === 'resume-stream' ? '' : (this.model ?? ''),
      outcome,
      durationMs: this.elapsedMs,
      inputTokens,
      outputTokens,
      limits: outcome === 'refused' ? limits.filter(({ fits }) => !fits).map(({ rule }) => rule.name) : none,
    });
  }
}

const none: readonly string[] = [];
/** Those of times under a tenth of a second, which most are. */
const tenthsTexts = Array.from({ length: 1000 }, (_, whole) => tenthsText(whole));

/** As `toFixed(1)`, of which six are called per request. */
function tenths(ms: number): string {
  const whole = Math.round(ms * 10);
  return tenthsTexts[whole] ?? tenthsText(whole);
}

function tenthsText(whole: number): string {
  return `${Math.trunc(whole / 10)}.${whole % 10}`;
}

/** A name of the caller's, short and harmless: it goes into a log. */
function shown(name: string): string {
  return name.slice(0, 80).replace(/[^\w.:/-]/g, '?');
}
