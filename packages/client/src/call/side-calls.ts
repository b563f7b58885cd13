import type { ModelInfo, ServerStatus } from '@ziggie/llm-protocol';
import type { Settings } from '../settings.ts';
import type { CallOptions } from '../types.ts';
import { callJson } from './call-json.ts';

/** The models of the server, as its dialect lists them. */
export async function listModels(settings: Settings, call: CallOptions): Promise<ModelInfo[]> {
  const reports = await settings.target.reports();
  return reports.listModels((path, read) =>
    callJson(settings, { path, operation: 'models.list' }, call, read),
  );
}

/** How the server says it is. */
export async function readStatus(settings: Settings, call: CallOptions): Promise<ServerStatus> {
  const { statusPath: path, readStatus: read } = await settings.target.reports();
  return callJson(settings, { path, operation: 'status' }, call, read);
}
