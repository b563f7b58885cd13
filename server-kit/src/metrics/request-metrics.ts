import type { DoneEvent } from '@ziggie/llm-protocol';
import type { Family } from './exposition.ts';
import { bounds } from './histogram.ts';
import { Counter, Histograms } from './series.ts';

/** What is known of a request when it is over. */
export interface EndedRequest {
  surface: string;
  /** The model that answered, by the model servers' own name; `''` where there was none. */
  model: string;
  outcome: 'ok' | 'refused' | 'failed' | 'left';
  durationMs: number;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  /** Names of the limits that refused it. */
  limits: readonly string[];
}

/** Models with labels of their own: names come from model servers, and no label may grow without end. */
const mostModels = 200;
/** The same for model servers: where they are found, each new pod has a new name. A list of them has at most 256. */
const mostUpstreams = 256;

/** What requests add up to. Numbers in memory: nothing here costs anything per token. */
export class RequestMetrics {
  readonly #models = new Set<string>();
  readonly #upstreams = new Set<string>();
  readonly #requests = new Counter('ziggie_llm_requests_total', 'Requests that are over.', [
    'surface',
    'model',
    'outcome',
  ]);
  readonly #duration = new Histograms(
    'ziggie_llm_request_duration_seconds',
    'From arrival to the last byte, of requests that a model was asked for.',
    bounds.duration,
    ['surface', 'outcome'],
  );
  readonly #firstToken = new Histograms(
    'ziggie_llm_time_to_first_token_seconds',
    'From arrival to the first token.',
    bounds.firstToken,
    ['model'],
  );
  readonly #perToken = new Histograms(
    'ziggie_llm_inter_token_seconds',
    'Time per token of an answer, as its model server told.',
    bounds.perToken,
    ['model'],
  );
  readonly #tokens = new Counter('ziggie_llm_tokens_total', 'Tokens that were read and written.', [
    'model',
    'type',
  ]);
  readonly #gpu = new Counter('ziggie_llm_gpu_seconds_total', 'Time of the GPU, as model servers told.', [
    'model',
  ]);
  readonly #overhead = new Histograms(
    'ziggie_llm_overhead_seconds',
    'Time that a stage of the kit took.',
    bounds.overhead,
    ['stage'],
  );
  readonly #wait = new Histograms(
    'ziggie_llm_queue_wait_seconds',
    'How long a place was waited for; 0 where one was free.',
    bounds.wait,
    ['model'],
  );
  readonly #loads = new Counter('ziggie_llm_model_loads_total', 'Models that the kit brought into memory.', [
    'upstream',
    'model',
  ]);
  readonly #loadTime = new Histograms(
    'ziggie_llm_model_load_seconds',
    'How long bringing a model into memory took.',
    bounds.load,
    ['model'],
  );
  readonly #rejections = new Counter(
    'ziggie_llm_limit_rejections_total',
    'Requests that a limit has refused.',
    ['limit'],
  );
  readonly #resumes = new Counter('ziggie_llm_stream_resumes_total', 'Readers who came back to an answer.');
  // Under the names that dashboards of older services look for.
  readonly #oldRequests = new Counter('llm_requests_total', 'Requests to models.', ['model', 'status']);
  readonly #oldDuration = new Histograms(
    'llm_request_duration_seconds',
    'Duration of requests to models.',
    bounds.duration,
    ['model'],
  );
  readonly #oldTokens = new Counter('llm_tokens_total', 'Tokens by kind.', ['model', 'type']);

  ended(request: EndedRequest): void {
    const { surface, outcome, durationMs, limits, inputTokens = 0, outputTokens = 0 } = request;
    const model = this.#known(request.model);
    this.#requests.add(1, surface, model, outcome);
    for (const limit of limits) this.#rejections.add(1, limit);
    if (model === '') return;
    const seconds = durationMs / 1000;
    this.#duration.observe(seconds, surface, outcome);
    this.#oldRequests.add(1, model, outcome === 'ok' ? 'success' : 'error');
    this.#oldDuration.observe(seconds, model);
    this.#count(model, 'input', 'prompt', inputTokens);
    this.#count(model, 'output', 'completion', outputTokens);
  }

  stage(name: string, ms: number): void {
    this.#overhead.observe(ms / 1000, name);
  }

  placed(model: string, waitedMs: number): void {
    this.#wait.observe(waitedMs / 1000, this.#known(model));
  }

  firstToken(model: string, ms: number): void {
    this.#firstToken.observe(ms / 1000, this.#known(model));
  }

  answered(name: string, { timings }: DoneEvent, tokens: number): void {
    const model = this.#known(name);
    const { decodeMs = 0, prefillMs = 0, loadMs = 0 } = timings;
    if (decodeMs > 0 && tokens > 1) this.#perToken.observe(decodeMs / tokens / 1000, model);
    if (decodeMs + prefillMs + loadMs > 0) this.#gpu.add((decodeMs + prefillMs + loadMs) / 1000, model);
  }

  loaded(upstream: string, name: string, ms: number): void {
    const model = this.#known(name);
    this.#loads.add(1, known(this.#upstreams, upstream, mostUpstreams), model);
    this.#loadTime.observe(ms / 1000, model);
  }

  resumed(): void {
    this.#resumes.add(1);
  }

  get families(): Family[] {
    return [
      this.#requests,
      this.#duration,
      this.#firstToken,
      this.#perToken,
      this.#tokens,
      this.#gpu,
      this.#overhead,
      this.#wait,
      this.#loads,
      this.#loadTime,
      this.#rejections,
      this.#resumes,
      this.#oldRequests,
      this.#oldDuration,
      this.#oldTokens,
    ].map(({ family }) => family);
  }

  #count(model: string, type: string, oldType: string, tokens: number): void {
    if (tokens <= 0) return;
    this.#tokens.add(tokens, model, type);
    this.#oldTokens.add(tokens, model, oldType);
  }

  #known(model: string): string {
    return model === '' ? model : known(this.#models, model, mostModels);
  }
}

/** A label as it is while there is room for it. */
function known(labels: Set<string>, label: string, most: number): string {
  if (labels.has(label)) return label;
  if (labels.size >= most) return 'other';
  labels.add(label);
  return label;
}
