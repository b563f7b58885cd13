import { type ReactElement, useRef } from 'react';
import { MoreIcon } from '../icons/action-icons.tsx';
import { Menu } from '../parts/menu.tsx';
import { useMoreText } from '../text/use-more-text.ts';
import type { ConversationsView } from './use-conversations.ts';
import { useExport } from './use-export.ts';

interface ListMenuProps {
  list: ConversationsView;
  onSay: (text: string) => void;
}

/** What can be done with all conversations together. */
export function ListMenu({ list, onSay }: ListMenuProps): ReactElement {
  const { strings, format } = useMoreText();
  const { saveJson } = useExport();
  const input = useRef<HTMLInputElement>(null);
  const read = async (file: File): Promise<string> => {
    try {
      const { format: form, added, problems } = await list.importText(await file.text());
      if (form === null) return strings.importUnknown;
      const done = strings.imported(added.length, format.count(added.length));
      return problems.length === 0
        ? done
        : `${done}, ${strings.importedPartly(format.count(problems.length))}`;
    } catch (error) {
      return error instanceof TypeError ? strings.importUnknown : strings.conversationFailed;
    }
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        accept="application/json,.json"
        aria-label={strings.importFile}
        onChange={(event) => {
          const file = event.target.files?.[0];
          // The same file may be picked again.
          if (file !== undefined) void read(file).then(onSay);
          event.target.value = '';
        }}
      />
      <Menu
        label={strings.conversationsMenu}
        icon={<MoreIcon />}
        items={[
          { label: strings.importFile, act: () => input.current?.click() },
          {
            label: strings.exportAll,
            act: () =>
              void saveJson(
                undefined,
                `${strings.conversations}-${new Date().toISOString().slice(0, 10)}`,
              ).catch(() => onSay(strings.conversationFailed)),
          },
        ]}
      />
    </>
  );
}
