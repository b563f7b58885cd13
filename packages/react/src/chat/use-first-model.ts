import { useEffect } from 'react';
import { useCell } from '../hooks/use-cell.ts';
import { preferredModel } from '../provider/model-list.ts';
import { useSession } from '../provider/session.ts';

/** Picks a model when neither the host page nor the saved conversation named one. */
export function useFirstModel(): void {
  const { conversation, models: list } = useSession();
  const { models } = useCell(list);
  const storage = useCell(conversation.storageState);
  const current = useCell(conversation.model);
  useEffect(() => {
    if (current !== null || storage === 'loading') return;
    const first = preferredModel(models);
    if (first !== null) conversation.setModel(first);
  }, [conversation, models, storage, current]);
}
