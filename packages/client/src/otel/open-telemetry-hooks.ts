import {
  type Attributes,
  context,
  type MeterProvider,
  metrics,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type { CallInfo, ClientHooks } from '../hooks.ts';
import { metricAttributes, operationName, requestAttributes } from './attributes.ts';
import { createInstruments } from './instruments.ts';

/** Name of our tracer and meter. */
const SCOPE = '@ziggie/llm-client';
/** More of an answer than this is not put on a span: exporters refuse or drop what is larger. */
const MAX_CONTENT_LENGTH = 64 * 1024;

/** Settings of {@link openTelemetryHooks}. */
export interface OpenTelemetryOptions {
  /** Default: the global one. */
  tracerProvider?: TracerProvider | undefined;
  /** Default: the global one. */
  meterProvider?: MeterProvider | undefined;
  /** Who makes the answers, `gen_ai.provider.name`. Default `ollama`. */
  provider?: string | undefined;
  /**
   * Puts what the model wrote on the span, as `gen_ai.output.messages`. Default `false`: answers are private. Prompts never
   * reach a hook, so they are never on a span.
   */
  captureContent?: boolean | undefined;
  /** Monotonic milliseconds, for the time between two pieces. Default `performance.now`. */
  now?: (() => number) | undefined;
}

interface Watched {
  span: Span;
  attributes: Attributes;
  text: string;
  lastPieceAt: number | undefined;
}

/**
 * Hooks that make a client's calls visible to OpenTelemetry: one CLIENT span per call, retries and reading the stream
 * included, and the four metrics of the conventions for generative AI.
 *
 * An abort by the caller leaves the status of the span unset. What fails in here changes no call.
 *
 * ```ts
 * const client = createClient({ baseUrl: '/api/llm', hooks: openTelemetryHooks() });
 * ```
 */
export function openTelemetryHooks(options: OpenTelemetryOptions = {}): ClientHooks {
  const { provider = 'ollama', captureContent = false, now = () => performance.now() } = options;
  const tracer = (options.tracerProvider ?? trace).getTracer(SCOPE);
  const instruments = createInstruments((options.meterProvider ?? metrics).getMeter(SCOPE));
  const calls = new WeakMap<CallInfo, Watched>();

  function end(call: CallInfo, elapsedMs: number, outcome: Attributes): Watched | undefined {
    const watched = calls.get(call);
    if (!watched) return undefined;
    calls.delete(call);
    watched.span.setAttributes(outcome);
    if (captureContent && watched.text !== '') {
      const content = watched.text.slice(0, MAX_CONTENT_LENGTH);
      const message = { role: 'assistant', parts: [{ type: 'text', content }] };
      watched.span.setAttribute('gen_ai.output.messages', JSON.stringify([message]));
    }
    if (operationName(call) !== undefined) {
      const { 'error.type': type, 'gen_ai.response.model': model } = outcome;
      instruments.duration.record(elapsedMs / 1000, {
        ...metricAttributes(watched.attributes),
        ...(type === undefined ? {} : { 'error.type': type }),
        ...(model === undefined ? {} : { 'gen_ai.response.model': model }),
      });
    }
    return watched;
  }

  return {
    request(call) {
      const attributes = requestAttributes(call, provider);
      const name = [operationName(call) ?? call.operation, call.model].filter(Boolean).join(' ');
      const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, context.active());
      calls.set(call, { span, attributes, text: '', lastPieceAt: undefined });
    },
    firstToken(call, { elapsedMs }) {
      const watched = calls.get(call);
      if (!watched) return;
      watched.span.setAttribute('gen_ai.response.time_to_first_chunk', elapsedMs / 1000);
      instruments.timeToFirstChunk.record(elapsedMs / 1000, metricAttributes(watched.attributes));
    },
    event(call, event) {
      const watched = calls.get(call);
      if (!watched) return;
      if (event.type === 'restart') watched.text = '';
      if (event.type !== 'text-delta' && event.type !== 'thinking-delta' && event.type !== 'tool-call')
        return;
      const at = now();
      if (watched.lastPieceAt !== undefined) {
        const seconds = (at - watched.lastPieceAt) / 1000;
        instruments.timePerOutputChunk.record(seconds, metricAttributes(watched.attributes));
      }
      watched.lastPieceAt = at;
      if (captureContent && event.type === 'text-delta') watched.text += event.text;
    },
    retry(call, { attempt, delayMs, error }) {
      calls.get(call)?.span.addEvent('retry', {
        'ziggie.attempt': attempt.number,
        'ziggie.delay_ms': delayMs,
        'error.type': error.code,
      });
    },
    done(call, { elapsedMs, attempts, usage, finishReason, upstreamModel }) {
      const watched = end(call, elapsedMs, {
        ...(attempts.length > 1 ? { 'http.request.resend_count': attempts.length - 1 } : {}),
        ...(upstreamModel === undefined ? {} : { 'gen_ai.response.model': upstreamModel }),
        ...(finishReason === undefined ? {} : { 'gen_ai.response.finish_reasons': [finishReason] }),
        ...(usage === undefined
          ? {}
          : {
              'gen_ai.usage.input_tokens': usage.inputTokens,
              'gen_ai.usage.output_tokens': usage.outputTokens,
            }),
      });
      // Guesses are no usage.
      if (watched && usage?.source === 'upstream') {
        const attributes = metricAttributes(watched.attributes);
        instruments.tokenUsage.record(usage.inputTokens, { ...attributes, 'gen_ai.token.type': 'input' });
        instruments.tokenUsage.record(usage.outputTokens, { ...attributes, 'gen_ai.token.type': 'output' });
      }
      watched?.span.end();
    },
    error(call, { elapsedMs, error }) {
      const { attempts, status, code, message } = error;
      const watched = end(call, elapsedMs, {
        'error.type': code,
        ...(attempts.length > 1 ? { 'http.request.resend_count': attempts.length - 1 } : {}),
        ...(status === undefined || status === 0 ? {} : { 'http.response.status_code': status }),
      });
      if (code !== 'aborted') watched?.span.setStatus({ code: SpanStatusCode.ERROR, message });
      watched?.span.end();
    },
  };
}
