import { type Answer, jsonAnswer } from '../answer/answer.ts';
import type { Connection } from '../connection.ts';
import type { RequestContext } from '../context.ts';
import { embedRoute } from '../embed/embed-route.ts';
import { KitFailure } from '../failure.ts';
import type { Settings } from '../kit-options.ts';
import type { KitParts } from '../kit-parts.ts';
import type { Principal } from '../kit-types.ts';
import { metricsText } from '../metrics/collect.ts';
import { METRICS_TYPE } from '../metrics/exposition.ts';
import { resumeRoute, stopRoute } from '../streams/resume-route.ts';
import { version } from '../version.ts';
import type { SocketDesk } from '../ws/socket-desk.ts';
import { answerRoute, selftestRoute } from './answer-route.ts';
import { cacheRoute } from './cache-routes.ts';
import {
  healthRoute,
  type JsonAnswer,
  liveRoute,
  modelsRoute,
  readyRoute,
  statusRoute,
} from './info-routes.ts';
import { keyRoute } from './key-routes.ts';
import { listRoute } from './list-routes.ts';
import { meRoute, myLimitsRoute } from './me-routes.ts';
import { modelAdminRoute, type PullStreamOperation, pullRoute } from './model-admin-routes.ts';
import { queueRoute } from './queue-routes.ts';
import type { Operation, Route } from './route-table.ts';
import { upstreamRoute } from './upstream-routes.ts';

/** Whether the options want this route; one they do not goes on to the host app. */
export function isServed({ feature }: Route, { modelAdmin, metrics, sockets }: Settings): boolean {
  switch (feature) {
    case 'modelAdmin':
      return modelAdmin !== undefined;
    case 'metrics':
      return metrics;
    case 'sockets':
      return sockets.enabled;
    case undefined:
      return true;
  }
}

/** What a route does for a request that was let in. @throws {KitFailure} */
export function serveRoute(
  parts: KitParts,
  sockets: SocketDesk,
  { operation }: Route,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<Answer> {
  if (isAnswering(operation)) return answerRoute(parts.answering, request, connection, context);
  return serveOther(parts, sockets, operation, request, connection, context);
}

async function serveOther(
  parts: KitParts,
  sockets: SocketDesk,
  operation: Exclude<Operation, Answering>,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<Answer> {
  if (operation === 'embed') return embedRoute(parts.answering, request, connection, context);
  if (operation === 'resume-stream') {
    return resumeRoute(parts.answering, request, connection, context);
  }
  if (operation === 'pull-model' || operation === 'follow-pull') {
    const answer = await pullRoute(parts.modelAdmin, operation, request, connection, context);
    return 'headers' in answer ? answer : informed(answer, context);
  }
  if (operation === 'metrics') {
    const text = metricsText(parts.metricParts);
    context.log('ok', 200);
    const answer = jsonAnswer(200, text, context.finalHeaders());
    answer.headers.set('content-type', METRICS_TYPE);
    return answer;
  }
  if (operation === 'selftest') return selftestRoute(parts.settings.clock, request, context);
  return informed(await inform(parts, sockets, operation, request, connection, context), context);
}

/** What is answered with a JSON body, or with none. @throws {KitFailure} */
async function inform(
  parts: KitParts,
  sockets: SocketDesk,
  operation: Exclude<
    Operation,
    Answering | 'metrics' | 'selftest' | 'embed' | 'resume-stream' | PullStreamOperation
  >,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<JsonAnswer> {
  switch (operation) {
    case 'socket':
      throw new KitFailure('bad_request', 'This address is a WebSocket. Open it with an upgrade.', {
        headers: { upgrade: 'websocket' },
      });
    case 'ticket':
      return { status: 200, body: await sockets.ticket(request, context.principal as Principal) };
    case 'models':
      return modelsRoute(parts.info, context);
    case 'status':
      return statusRoute(parts.info);
    case 'health':
      return healthRoute(parts.info);
    case 'live':
      return liveRoute();
    case 'ready':
      return readyRoute(parts.info);
    case 'version':
      return { status: 200, body: { version } };
    case 'ollama-tags':
    case 'ollama-ps':
    case 'ollama-show':
    case 'openai-models':
    case 'openai-model':
      return listRoute(parts.info, operation, request, connection, context);
    case 'closed':
      throw new KitFailure(
        'forbidden',
        'Models are changed by administrators, on the addresses of the kit below /admin. This one is closed.',
      );
    case 'stop-stream':
      await stopRoute(parts.answering, connection, context);
      return { status: 204, body: undefined };
    case 'me':
      return meRoute(context);
    case 'my-limits':
      return myLimitsRoute(parts.me, context);
    case 'my-queue':
    case 'my-place':
    case 'leave-queue':
    case 'queue':
    case 'kick-from-queue':
    case 'reprioritise':
      return queueRoute(parts.queueParts, operation, request, connection, context);
    case 'upstreams':
    case 'drain-upstream':
    case 'undrain-upstream':
    case 'probe-upstream':
      return upstreamRoute(parts.upstreamParts, operation, request, connection);
    case 'fleet-models':
    case 'load-model':
    case 'unload-model':
    case 'delete-model':
    case 'pulls':
    case 'pull-state':
    case 'cancel-pull':
      return modelAdminRoute(parts.modelAdmin, operation, request, connection, context);
    case 'cache':
    case 'purge-cache':
      return cacheRoute(parts.cacheParts, operation, request, connection, context);
    default:
      return keyRoute(parts.keyParts, operation, request, connection, context);
  }
}

type Answering = 'chat' | 'generate' | 'generate-complete';

function isAnswering(operation: Operation): operation is Answering {
  return operation === 'chat' || operation === 'generate' || operation === 'generate-complete';
}

function informed({ status, body }: JsonAnswer, context: RequestContext): Answer {
  context.log('ok', status);
  const headers = context.finalHeaders();
  // A body of nothing has headers all the same: what was done must not be stored either.
  const answer = jsonAnswer(status, body === undefined ? '' : JSON.stringify(body), headers);
  return body === undefined ? { ...answer, body: null } : answer;
}
