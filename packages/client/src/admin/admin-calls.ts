import { callJson } from '../call/call-json.ts';
import { checkCall } from '../check-arguments.ts';
import { isZiggieError } from '../errors/ziggie-error.ts';
import { settingsBehind } from '../internals.ts';
import { timeoutsFor } from '../settings.ts';
import type { CallOptions, ZiggieClient } from '../types.ts';
import { checkName, hostsOf, takes } from './asking.ts';
import { readDetails, readFleet, readPulls, readRunning } from './details.ts';
import { checkDigest, digestOf } from './digest.ts';
import { explained, refusal } from './refusal.ts';
import { type AdminTask, routeFor } from './routes.ts';
import type { Admin, HostOptions } from './types.ts';

/** Upload speed that is still granted: 64 KiB/s, a bad mobile line. */
const SLOWEST_UPLOAD_BYTES_PER_MS = 65.536;

/** What is answered at once. */
export type AdminCalls = Omit<Admin, 'pull' | 'push' | 'create'>;

export function adminCalls(client: ZiggieClient): AdminCalls {
  const settings = settingsBehind(client);
  const target = settings.target.name;

  async function ask<T>(
    task: AdminTask,
    model: string | undefined,
    body: object | undefined,
    options: CallOptions & HostOptions,
    read: (body: unknown) => T,
    answerMs?: number,
  ): Promise<T> {
    const route = takes(target, task, options);
    if (!route) throw refusal(target, task);
    const request = { ...route, body, operation: `models.${task}`, model, answerMs };
    try {
      return await callJson(settings, request, options, read);
    } catch (error) {
      throw explained(error, target);
    }
  }

  const nothing = (): void => {};
  const checked = (model: string, options: CallOptions): void => {
    checkCall(options);
    checkName(model);
  };

  return {
    async copy(source, destination, options = {}) {
      checked(source, options);
      checkName(destination);
      await ask('copy', source, { source, destination }, options, nothing);
    },
    async delete(model, options = {}) {
      checked(model, options);
      await ask('delete', model, { model, ...hostsOf(options) }, options, nothing);
    },
    async show(model, options = {}) {
      checked(model, options);
      const body = { model, ...(options.verbose ? { verbose: true } : {}) };
      return ask('show', model, body, options, (answer) => readDetails(model, answer));
    },
    async running(options = {}) {
      checkCall(options);
      if (target === 'ollama') {
        return callJson(settings, { path: '/api/ps', operation: 'models.running' }, options, readRunning);
      }
      const models = await client.models.list(options);
      return models.flatMap(({ name, loaded, contextLength }) =>
        loaded ? { name, sizeBytes: null, ...loaded, contextLength } : [],
      );
    },
    async load(model, options = {}) {
      checked(model, options);
      const { keepAlive } = options;
      const body = {
        model,
        ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }),
        ...hostsOf(options),
      };
      const { loadMs } = timeoutsFor(settings, options);
      try {
        await ask('load', model, body, options, nothing, loadMs);
      } catch (error) {
        // Models that only embed are loaded by embedding nothing.
        if (
          target !== 'ollama' ||
          !isZiggieError(error) ||
          error.code !== 'capability_unsupported' ||
          options.hosts
        )
          throw error;
        const request = { method: 'POST', path: '/api/embed', operation: 'models.load', model } as const;
        await callJson(
          settings,
          { ...request, body: { ...body, input: [] }, answerMs: loadMs },
          options,
          nothing,
        );
      }
    },
    async unload(model, options = {}) {
      checked(model, options);
      await ask('unload', model, { model, keep_alive: 0, ...hostsOf(options) }, options, nothing);
    },
    async fleet(options = {}) {
      checkCall(options);
      return ask('fleet', undefined, undefined, options, readFleet);
    },
    async pulls(options = {}) {
      checkCall(options);
      return ask('pulls', undefined, undefined, options, readPulls);
    },
    async cancelPull(id, options = {}) {
      checkCall(options);
      const route = routeFor(target, 'pulls');
      if (!route) throw refusal(target, 'pulls');
      const path = `${route.path}/${encodeURIComponent(id)}`;
      await callJson(settings, { method: 'DELETE', path, operation: 'models.cancelPull' }, options, nothing);
    },
    async hasBlob(digest, options = {}) {
      checkCall(options);
      const route = routeFor(target, 'blobs');
      const path = `${route?.path}/${checkDigest(digest)}`;
      if (!route) throw refusal(target, 'blobs');
      try {
        await callJson(settings, { method: 'HEAD', path, operation: 'models.hasBlob' }, options, nothing);
        return true;
      } catch (error) {
        if (isZiggieError(error) && error.status === 404) return false;
        throw error;
      }
    },
    async putBlob(data, options = {}) {
      checkCall(options);
      const route = routeFor(target, 'blobs');
      if (!route) throw refusal(target, 'blobs');
      const digest = options.digest === undefined ? await digestOf(data) : checkDigest(options.digest);
      const size = data instanceof Blob ? data.size : data.byteLength;
      const answerMs = timeoutsFor(settings, options, 600_000).idleMs + size / SLOWEST_UPLOAD_BYTES_PER_MS;
      const request = {
        method: 'POST',
        path: `${route.path}/${digest}`,
        operation: 'models.putBlob',
      } as const;
      await callJson(settings, { ...request, body: data, answerMs }, options, nothing);
      return digest;
    },
  };
}
