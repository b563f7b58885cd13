import { checkCall } from '../check-arguments.ts';
import { settingsBehind } from '../internals.ts';
import { part } from '../part.ts';
import type { CallOptions, ZiggieClient } from '../types.ts';
import type { AdminCalls } from './admin-calls.ts';
import { checkName, hostsOf, takes } from './asking.ts';
import { OpenProgress } from './open-progress.ts';
import { refusal } from './refusal.ts';
import type { AdminTask } from './routes.ts';
import type { Admin, HostOptions, ProgressStream, TransferOptions } from './types.ts';

/**
 * Manages the models of a client's server, by its credentials, clock and retry rules.
 *
 * Directly with Ollama everything works but `fleet`, `pulls` and `cancelPull`. With the kit those do, and `pull`, `delete`,
 * `load`, `unload` and `running`, if its operator serves administration and the caller may. What a server has no route
 * for rejects with `capability_unsupported`.
 *
 * ```ts
 * const admin = createAdmin(createClient({ baseUrl: 'http://127.0.0.1:11434', target: 'ollama' }));
 * for await (const { status, fraction } of admin.pull('llama3.2')) console.log(status, fraction);
 * ```
 *
 * @throws {TypeError} when the client was not made by `createClient`.
 */
export function createAdmin(client: ZiggieClient): Admin {
  const settings = settingsBehind(client);
  const target = settings.target.name;

  function transfer(
    task: AdminTask,
    model: string,
    body: object,
    options: CallOptions & HostOptions,
  ): ProgressStream {
    checkCall(options);
    checkName(model);
    const route = takes(target, task, options);
    const request = { operation: `models.${task}`, model, path: route?.path ?? '', body };
    return new OpenProgress(
      settings,
      route ? request : { ...request, refusal: refusal(target, task) },
      options,
    );
  }

  /** What is answered at once is in a part of its own. */
  const later =
    <Name extends keyof AdminCalls>(name: Name) =>
    async (...asked: Parameters<AdminCalls[Name]>): Promise<never> => {
      const { adminCalls } = await part(() => import('./admin-calls.ts'));
      return (adminCalls(client)[name] as (...asked: unknown[]) => Promise<never>)(...asked);
    };

  return {
    pull: (model, options = {}) => transfer('pull', model, transferBody(model, options), options),
    push: (model, options = {}) => transfer('push', model, transferBody(model, options), options),
    create: (request, options = {}) =>
      transfer('create', request.model, { ...request, stream: true }, options),
    copy: later('copy'),
    delete: later('delete'),
    show: later('show'),
    running: later('running'),
    load: later('load'),
    unload: later('unload'),
    fleet: later('fleet'),
    pulls: later('pulls'),
    cancelPull: later('cancelPull'),
    hasBlob: later('hasBlob'),
    putBlob: later('putBlob'),
  };
}

function transferBody(model: string, options: TransferOptions): object {
  return { model, stream: true, ...(options.insecure ? { insecure: true } : {}), ...hostsOf(options) };
}
