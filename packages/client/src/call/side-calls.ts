import type { ModelInfo, ServerStatus } from '@ziggie/llm-protocol';
import type { EmbedRequest, EmbedResult } from '../embed/types.ts';
import { part } from '../part.ts';
import type { Settings } from '../settings.ts';
import { reports as kitReports } from '../targets/kit-reports.ts';
import type { Reports } from '../targets/target.ts';
import type { CallOptions } from '../types.ts';
import { callJson } from './call-json.ts';

/** A list of models is mostly the first that a page asks for: those of the kit are here with no fetch more. */
const dialects = {
  kit: async () => ({ reports: kitReports }),
  ollama: () => import('../targets/ollama-reports.ts'),
  openai: () => import('../targets/openai-reports.ts'),
};

async function reportsOf({ target }: Settings): Promise<Reports> {
  const { reports } = await part<{ reports: Reports }>(dialects[target.name]);
  return reports;
}

/** The models of the server, as its dialect lists them. */
export async function listModels(settings: Settings, call: CallOptions): Promise<ModelInfo[]> {
  const { listModels: list } = await reportsOf(settings);
  return list((path, read) => callJson(settings, { path, operation: 'models.list' }, call, read));
}

/** How the server says it is. */
export async function readStatus(settings: Settings, call: CallOptions): Promise<ServerStatus> {
  const { statusPath: path, readStatus: read } = await reportsOf(settings);
  return callJson(settings, { path, operation: 'status' }, call, read);
}

export async function readVersion(settings: Settings, call: CallOptions): Promise<string> {
  return (await readStatus(settings, call)).version;
}

export async function embed(
  settings: Settings,
  call: CallOptions,
  request: EmbedRequest,
): Promise<EmbedResult> {
  const { embed: inBatches } = await part(() => import('../embed/embed.ts'));
  return inBatches(settings, request, call);
}
