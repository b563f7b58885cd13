import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { expect, onTestFinished, test } from 'vitest';
import { instantClock, noTimeouts } from '../../test/clock.ts';
import { failureOf, last, piece, question } from '../../test/samples.ts';
import { lines, reply, serve } from '../../test/scripted-server.ts';
import { createClient } from '../index.ts';
import { type OpenTelemetryOptions, openTelemetryHooks } from '../otel.ts';

/** OpenTelemetry that keeps everything in memory. */
function observed(url: string, options: OpenTelemetryOptions = {}) {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  onTestFinished(async () => {
    await meterProvider.shutdown();
    await tracerProvider.shutdown();
  });
  const hooks = openTelemetryHooks({ tracerProvider, meterProvider, ...options });
  const client = createClient({
    baseUrl: url,
    target: 'ollama',
    hooks,
    clock: instantClock(),
    timeouts: noTimeouts,
    random: () => 0,
  });
  const measured = async () => {
    await reader.forceFlush();
    const all =
      exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    return new Map(
      all.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        {
          unit: descriptor.unit,
          points: dataPoints as { attributes: object; value: { count: number; sum: number } }[],
        },
      ]),
    );
  };
  return { client, spans: () => spans.getFinishedSpans(), measured };
}

test('a chat is one CLIENT span with the attributes of the conventions, and four metrics', async () => {
  const server = await serve(reply(503, ''), lines(piece('Hel'), piece('lo'), last));
  let now = 0;
  const { client, spans, measured } = observed(server.url, { now: () => (now += 40) });
  await client.chat(question).text();
  const [span, ...others] = spans();
  expect(others).toEqual([]);
  expect(span).toMatchObject({
    name: 'chat m',
    kind: SpanKind.CLIENT,
    status: { code: SpanStatusCode.UNSET },
  });
  expect(span?.attributes).toEqual({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'ollama',
    'gen_ai.request.model': 'm',
    'gen_ai.request.stream': true,
    'gen_ai.response.model': 'm',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.response.time_to_first_chunk': expect.any(Number),
    'gen_ai.usage.input_tokens': 3,
    'gen_ai.usage.output_tokens': 2,
    'http.request.resend_count': 1,
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(server.url).port),
  });
  expect(span?.events).toMatchObject([{ name: 'retry', attributes: { 'error.type': 'server_busy' } }]);
  const metrics = await measured();
  expect([...metrics].map(([name, { unit }]) => [name, unit]).sort()).toEqual([
    ['gen_ai.client.operation.duration', 's'],
    ['gen_ai.client.operation.time_per_output_chunk', 's'],
    ['gen_ai.client.operation.time_to_first_chunk', 's'],
    ['gen_ai.client.token.usage', '{token}'],
  ]);
  const tokens = metrics.get('gen_ai.client.token.usage')?.points;
  expect(tokens?.map(({ attributes, value }) => [attributes, value.sum])).toEqual([
    [expect.objectContaining({ 'gen_ai.token.type': 'input' }), 3],
    [expect.objectContaining({ 'gen_ai.token.type': 'output' }), 2],
  ]);
  expect(metrics.get('gen_ai.client.operation.time_per_output_chunk')?.points[0]?.value).toMatchObject({
    count: 1,
    sum: 0.04,
  });
});

test('a failure is on the span and in the duration; an abort leaves the status unset', async () => {
  const server = await serve(reply(404, '{"error":"model \'m\' not found"}'), () => {});
  const { client, spans, measured } = observed(server.url);
  await failureOf(client.chat(question).text());
  const stream = client.chat(question);
  const reading = failureOf(stream.text());
  await server.arrived(2);
  stream.abort();
  await reading;
  expect(spans()).toMatchObject([
    {
      status: { code: SpanStatusCode.ERROR, message: expect.stringContaining('404') },
      attributes: { 'error.type': 'model_not_found', 'http.response.status_code': 404 },
    },
    { status: { code: SpanStatusCode.UNSET }, attributes: { 'error.type': 'aborted' } },
  ]);
  const duration = (await measured()).get('gen_ai.client.operation.duration');
  expect(
    duration?.points.map(({ attributes }) => (attributes as { 'error.type'?: string })['error.type']),
  ).toEqual(['model_not_found', 'aborted']);
});

test('embeddings and generate have their names; what the conventions do not know is a span without metrics', async () => {
  const server = await serve(
    reply(200, '{"embeddings":[[1]]}'),
    lines({ model: 'm', response: 'Hi', done: false }, { model: 'm', response: '', done: true }),
    reply(200, '{"version":"1"}'),
  );
  const { client, spans, measured } = observed(server.url);
  await client.embed({ model: 'e', input: 'a' });
  await client.generate({ model: 'm', prompt: 'p' }).text();
  await client.status();
  expect(spans().map(({ name }) => name)).toEqual(['embeddings e', 'text_completion m', 'status']);
  expect((await measured()).get('gen_ai.client.operation.duration')?.points).toHaveLength(2);
});

test('neither prompt, answer nor token is on a span or a metric; the answer is when asked for', async () => {
  const server = await serve(lines(piece('ANSWER-canary'), last));
  const asked = { model: 'm', messages: [{ role: 'user' as const, content: 'PROMPT-canary' }] };
  const quiet = observed(server.url);
  await quiet.client.chat(asked, { headers: { 'X-Key': 'KEY-canary' } }).text();
  const seen = JSON.stringify([
    quiet.spans().map(({ name, attributes, events }) => [name, attributes, events]),
    [...(await quiet.measured())],
  ]);
  expect(seen).not.toContain('canary');
  const open = observed(server.url, { captureContent: true });
  await open.client.chat(asked).text();
  expect(open.spans()[0]?.attributes['gen_ai.output.messages']).toBe(
    '[{"role":"assistant","parts":[{"type":"text","content":"ANSWER-canary"}]}]',
  );
  expect(JSON.stringify(open.spans()[0]?.attributes)).not.toContain('PROMPT-canary');
});
