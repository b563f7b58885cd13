import type { ZiggieClient } from '@ziggie/llm-client';
import type { ObjectRequest, OutputOf, StandardSchema } from '@ziggie/llm-client/tools';
import { useCallback, useContext, useEffect, useState } from 'react';
import { useCell } from '../hooks/use-cell.ts';
import { useLatest } from '../hooks/use-latest.ts';
import { SessionContext } from '../provider/session.ts';
import { ObjectCell, type ObjectState } from './object-cell.ts';

/** Options of {@link useObject}. The newest ones are read with each `submit`. */
export interface UseObjectOptions<Schema extends StandardSchema> {
  /** Any Standard Schema (zod, valibot, ArkType): what the object has to be. */
  schema: Schema;
  /** What the model is held to; needed when the schema's library cannot say it itself. */
  jsonSchema?: Record<string, unknown> | undefined;
  /** Default: the one that is picked in the chat around it. */
  model?: string | undefined;
  /** Default: that of the provider around it. */
  client?: ZiggieClient | undefined;
  /** Put before the question. */
  system?: string | undefined;
  /** By Ollama's names, such as `{ temperature: 0 }`. */
  options?: ObjectRequest<Schema>['options'];
  /** How often the model is asked again with what is wrong. Default 2; 0 turns it off. */
  repairs?: number | undefined;
}

/** What {@link useObject} gives. */
export interface ObjectView<Schema extends StandardSchema> extends ObjectState<Schema> {
  /**
   * Asks for an object; a question before it that still runs is stopped. Stays the same function.
   *
   * @returns The object; `null` when it failed, was stopped or was asked for anew, which the state says.
   * @throws {TypeError} for wrong options, such as a schema that cannot be said in JSON Schema, or no model.
   */
  readonly submit: (question: string | ObjectRequest<Schema>['messages']) => Promise<OutputOf<Schema> | null>;
  /** Closes the connection; what is known stays in `partial`. Stays the same function. */
  readonly stop: () => void;
}

/**
 * Asks a model for an object of a schema and shows it while it is written. It is no part of the conversation. What runs
 * when the component leaves is stopped, which frees the GPU.
 *
 * @example
 * const { partial, object, status, submit } = useObject({ schema: Recipe });
 */
export function useObject<Schema extends StandardSchema>(
  options: UseObjectOptions<Schema>,
): ObjectView<Schema> {
  const session = useContext(SessionContext);
  const latest = useLatest({ options, session });
  const [cell] = useState(() => new ObjectCell<Schema>());
  const state = useCell(cell);
  useEffect(() => cell.stop, [cell]);
  const submit = useCallback<ObjectView<Schema>['submit']>(
    async (question) => {
      const { options: now, session: around } = latest.current;
      const { client: given, schema, jsonSchema, system, repairs, options: sampling } = now;
      const model = now.model ?? around?.conversation.model.get();
      const client = given === undefined ? around?.client?.open : () => given;
      if (!client)
        throw new TypeError('useObject(): there is no client. Give `client`, or a provider that has one.');
      if (!model)
        throw new TypeError('useObject(): no model is chosen. Give `model`, or pick one in the chat.');
      const asked = typeof question === 'string' ? [{ role: 'user' as const, content: question }] : question;
      const messages = [...(system ? [{ role: 'system' as const, content: system }] : []), ...(asked ?? [])];
      const request = { model, messages, schema, jsonSchema, ...(sampling && { options: sampling }) };
      return cell.submit(client, request as ObjectRequest<Schema>, { repairs });
    },
    [cell, latest],
  );
  return { ...state, submit, stop: cell.stop };
}
