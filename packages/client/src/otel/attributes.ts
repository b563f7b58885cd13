import type { Attributes } from '@opentelemetry/api';
import type { CallInfo } from '../hooks.ts';

/**
 * Names of OpenTelemetry's conventions for generative AI (open-telemetry/semantic-conventions-genai, 2026-09), for
 * spans of a client.
 */
const operations: Readonly<Record<string, string>> = {
  chat: 'chat',
  generate: 'text_completion',
  embed: 'embeddings',
};

/** The conventional name of an operation; `undefined` for what the conventions do not know, such as a pull. */
export function operationName(call: CallInfo): string | undefined {
  return Object.hasOwn(operations, call.operation) ? operations[call.operation] : undefined;
}

/** What is known of a call before it is sent. No prompt and no credential is part of it. */
export function requestAttributes(call: CallInfo, provider: string): Attributes {
  const { hostname, port, protocol } = new URL(call.baseUrl);
  const operation = operationName(call);
  return {
    ...(operation === undefined
      ? { 'ziggie.operation': call.operation }
      : { 'gen_ai.operation.name': operation, 'gen_ai.provider.name': provider }),
    ...(call.model === undefined ? {} : { 'gen_ai.request.model': call.model }),
    ...(call.streaming ? { 'gen_ai.request.stream': true } : {}),
    'server.address': hostname,
    'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  };
}

/** Those of them that tell series of a metric apart. */
export function metricAttributes(all: Attributes): Attributes {
  const { 'gen_ai.request.stream': _, ...kept } = all;
  return kept;
}
