import { useEffect } from 'react';
import { useCell } from '../hooks/use-cell.ts';
import { preferredModel } from '../provider/model-list.ts';
import { useSession } from '../provider/session.ts';

/** Picks a model when neither the host page nor the saved conversation named one, as soon as the server has one. */
export function useFirstModel(): void {
  const { conversation, models: list } = useSession();
  const { models, status } = useCell(list);
  const storage = useCell(conversation.storageState);
  const current = useCell(conversation.model);
  useEffect(() => {
    if (current !== null || storage === 'loading') return;
    const first = preferredModel(models);
    if (first !== null) conversation.setModel(first);
  }, [conversation, models, storage, current]);

  // Without any model nothing works, and what helps is done elsewhere: the server is asked again when the reader is back.
  const stuck = current === null && models.length === 0 && (status === 'ready' || status === 'failed');
  useEffect(() => {
    if (!stuck) return;
    const again = () => void list.refresh();
    window.addEventListener('focus', again);
    window.addEventListener('online', again);
    return () => {
      window.removeEventListener('focus', again);
      window.removeEventListener('online', again);
    };
  }, [list, stuck]);
}
