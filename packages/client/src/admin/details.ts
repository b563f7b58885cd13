import { ProtocolError } from '@ziggie/llm-protocol';
import type { Fleet, ModelDetails, PullInfo, RunningModel } from './types.ts';

type Json = Record<string, unknown>;

/** Reads `/api/show`, loosely: what is missing or of another type is left out. */
export function readDetails(name: string, body: unknown): ModelDetails {
  const from = object(body);
  if (!from)
    throw new ProtocolError('malformed_record', 'Reading a model: the body is not what Ollama sends.');
  const details = object(from['details']) ?? {};
  const info = object(from['model_info']) ?? {};
  const contextKey = Object.keys(info).find((key) => key.endsWith('.context_length'));
  const optional = {
    license: text(from['license']),
    modelfile: text(from['modelfile']),
    parameters: text(from['parameters']),
    template: text(from['template']),
    system: text(from['system']),
    modifiedAt: text(from['modified_at']),
    messages: list(from['messages']) as ModelDetails['messages'],
    tensors: list(from['tensors']),
  };
  return {
    name,
    family: text(details['family']) ?? null,
    parameterSize: text(details['parameter_size']) ?? null,
    quantization: text(details['quantization_level']) ?? null,
    contextLength: contextKey === undefined ? null : number(info[contextKey]),
    capabilities: list(from['capabilities'])?.filter((one): one is string => typeof one === 'string') ?? [],
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    info,
  };
}

/** Reads `/api/ps`. */
export function readRunning(body: unknown): RunningModel[] {
  const models = list(object(body)?.['models']);
  if (!models) throw new ProtocolError('malformed_record', 'Reading the models in memory: there is no list.');
  return models.flatMap((entry) => {
    const model = object(entry) ?? {};
    const name = text(model['model']) ?? text(model['name']);
    if (name === undefined) return [];
    return {
      name,
      sizeBytes: number(model['size']),
      sizeVramBytes: number(model['size_vram']),
      expiresAt: text(model['expires_at']) ?? null,
      contextLength: number(model['context_length']),
    };
  });
}

/** Reads the kit's list of models by server. */
export function readFleet(body: unknown): Fleet {
  const { models, unreachable } = object(body) ?? {};
  if (!list(models) || !list(unreachable)) {
    throw new ProtocolError('malformed_record', 'Reading the models by server: there is no list.');
  }
  return body as Fleet;
}

/** Reads the kit's list of pulls. */
export function readPulls(body: unknown): readonly PullInfo[] {
  const jobs = list(object(body)?.['jobs']);
  if (!jobs) throw new ProtocolError('malformed_record', 'Reading the pulls: there is no list.');
  return jobs as readonly PullInfo[];
}

function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function list(value: unknown): unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
