import { useMemo } from 'react';
import { downloadText } from '../parts/download-text.ts';
import { useSession } from '../provider/session.ts';
import { historyOf } from './history-source.ts';

/** Saves conversations as files of the reader's. */
export function useExport() {
  const history = historyOf(useSession());
  return useMemo(
    () => ({
      async saveMarkdown(id: string, title: string): Promise<void> {
        const text = (await history?.exportMarkdown(id)) ?? '';
        downloadText(`${fileName(title)}.md`, text, 'text/markdown', document.body);
      },
      /** All of them without ids. */
      async saveJson(ids: readonly string[] | undefined, title: string): Promise<void> {
        const text = (await history?.exportJson(ids)) ?? '';
        downloadText(`${fileName(title)}.json`, text, 'application/json', document.body);
      },
    }),
    [history],
  );
}

/** What every system takes as a name of a file. */
export function fileName(title: string): string {
  const name = title
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');
  // Cut by code points, so that no character is halved.
  return [...name].slice(0, 60).join('') || 'conversation';
}
