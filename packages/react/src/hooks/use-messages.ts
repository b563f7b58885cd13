import type { MessageNode, RunPhase } from '@ziggie/llm-client/conversation';
import { useCallback } from 'react';
import { useSession } from '../provider/session.ts';
import { useCell, useSelected } from './use-cell.ts';

/** Ids of the messages on the shown branch, first message first. Tokens do not change it. */
export function useMessageIds(): readonly string[] {
  return useCell(useSession().conversation.messageIds);
}

/** One message, or `undefined` when there is none with this id. Renders once per frame while the message is written. */
export function useMessage(id: string): MessageNode | undefined;
/**
 * What `select` takes of one message; renders only when that changes by `Object.is`. A `select` written outside of the
 * component, or kept by `useCallback`, runs once per change of the message.
 */
export function useMessage<T>(id: string, select: (message: MessageNode) => T): T | undefined;
export function useMessage<T>(id: string, select?: (message: MessageNode) => T): T | MessageNode | undefined {
  const cell = useSession().conversation.message(id);
  const take = useCallback(
    (message: MessageNode | undefined) =>
      message === undefined || select === undefined ? message : select(message),
    [select],
  );
  return useSelected<MessageNode | undefined, T | MessageNode | undefined>(cell, take);
}

const same = <T>(value: T): T => value;

/** What the run is doing, `null` while nothing runs. */
export function useRun(): RunPhase | null;
/** What `select` takes of the run; renders only when that changes by `Object.is`. */
export function useRun<T>(select: (phase: RunPhase | null) => T): T;
export function useRun<T>(select?: (phase: RunPhase | null) => T): T | RunPhase | null {
  const { conversation } = useSession();
  return useSelected<RunPhase | null, T | RunPhase | null>(conversation.phase, select ?? same);
}

/** Whether a run is in progress. */
export function useIsRunning(): boolean {
  return useSelected(useSession().conversation.runningId, isSet);
}

const isSet = (value: string | null): boolean => value !== null;
