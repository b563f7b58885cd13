import type { ModelInfo } from '@ziggie/llm-protocol';
import { useCallback } from 'react';
import { useSession } from '../provider/session.ts';
import { useCell } from './use-cell.ts';

/** The models one can pick, and the one that is picked. */
export interface ModelsView {
  readonly models: readonly ModelInfo[];
  readonly status: 'loading' | 'ready' | 'failed';
  /** Name of the picked model, `null` before one is. */
  readonly current: string | null;
  readonly pick: (name: string) => void;
  /** Asks the server again. */
  readonly refresh: () => Promise<void>;
}

/** The server's models that can chat. The list is asked for once, then again by `refresh`. */
export function useModels(): ModelsView {
  const { conversation, models: list } = useSession();
  const { models, status } = useCell(list);
  const current = useCell(conversation.model);
  const pick = useCallback((name: string) => conversation.setModel(name), [conversation]);
  return { models, status: status === 'idle' ? 'loading' : status, current, pick, refresh: list.refresh };
}
