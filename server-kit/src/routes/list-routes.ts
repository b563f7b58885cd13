import type { Connection } from '../connection.ts';
import type { RequestContext } from '../context.ts';
import { leftOf } from '../request/direct-request.ts';
import { readJsonBody } from '../request/read-body.ts';
import { ollamaPs, ollamaShow, ollamaTags, shownName } from '../surfaces/ollama/model-lists.ts';
import { openAiModel, openAiModels } from '../surfaces/openai/model-lists.ts';
import type { InfoParts, JsonAnswer } from './info-routes.ts';
import { idIn, type ListOperation } from './route-table.ts';

/** A body that names a model is small. */
const maxNameBodyBytes = 4096;

/** The models that the caller may use, in the forms of other servers. @throws {KitFailure} */
export async function listRoute(
  { catalog }: InfoParts,
  operation: ListOperation,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<JsonAnswer> {
  const fileOf = (canonical: string) => catalog.fileOf(canonical);
  const name = operation === 'ollama-show' ? shownName(await bodyOf(request, connection)) : '';
  const models = await catalog.models((model) => context.rights.mayUse('models:read', model));
  switch (operation) {
    case 'ollama-tags':
      return { status: 200, body: ollamaTags(models, fileOf) };
    case 'ollama-ps':
      return { status: 200, body: ollamaPs(models, fileOf) };
    case 'ollama-show':
      return { status: 200, body: ollamaShow(models, name, fileOf) };
    case 'openai-models':
      return { status: 200, body: openAiModels(models, fileOf) };
    case 'openai-model':
      return { status: 200, body: openAiModel(models, idIn(connection.target) ?? '', fileOf) };
  }
}

async function bodyOf(request: Request, connection: Connection): Promise<unknown> {
  const { value } = await readJsonBody(request, connection, maxNameBodyBytes, leftOf(request));
  return value;
}
