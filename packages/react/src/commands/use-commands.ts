import type { AnyTemplate } from '@ziggie/llm-client/templates';
import { useAnnounce } from '../announce/announce-context.ts';
import { useChatParts } from '../chat/chat-parts.ts';
import { useComposerOptions } from '../composer/composer-context.ts';
import type { ComposerView } from '../composer/use-composer.ts';
import { useExport } from '../history/use-export.ts';
import { useSession } from '../provider/session.ts';
import { useMoreText } from '../text/use-more-text.ts';
import type { SlashCommand } from './slash-command.ts';
import { missingIn, textOf } from './template-text.ts';

/** An entry of the list behind the slash. */
export interface SlashEntry {
  readonly name: string;
  readonly description: string;
  readonly kind: 'command' | 'template';
  /** Does it; `argument` is what was typed after the name. */
  act(argument: string): void;
}

/** All commands and templates of this chat, the host app's commands first. */
export function useSlashEntries(composer: ComposerView): readonly SlashEntry[] {
  const { conversation } = useSession();
  const { strings } = useMoreText();
  const { template: asked } = useChatParts();
  const { commands, templates } = useComposerOptions();
  const announce = useAnnounce();
  const builtIn = useBuiltInCommands();
  if (commands === null) return [];
  const names = new Set(commands.map(({ name }) => name));
  const act = (command: SlashCommand, argument: string) => {
    composer.setText('');
    const context = {
      conversationId: conversation.id,
      argument,
      setText: composer.setText,
      send: (text: string) => void conversation.send(text).catch(() => announce(strings.commandFailed)),
    };
    // A command that throws at once is a rejection like any other.
    new Promise<void>((done) => done(command.run(context))).catch(() => announce(strings.commandFailed));
  };
  const fill = (template: AnyTemplate, argument: string) => {
    const first = missingIn(template, {})[0];
    const values = first === undefined ? {} : { [first]: argument };
    if (missingIn(template, values).length === 0) {
      composer.setText(textOf(template, values));
      return;
    }
    composer.setText('');
    asked.set({ template, values });
  };
  return [
    ...[...commands, ...builtIn.filter(({ name }) => !names.has(name))].map(
      (command): SlashEntry => ({
        name: command.name,
        description: command.description,
        kind: 'command',
        act: (argument) => act(command, argument),
      }),
    ),
    ...templates.map(
      (template): SlashEntry => ({
        name: template.name,
        description: template.description,
        kind: 'template',
        act: (argument) => fill(template, argument),
      }),
    ),
  ];
}

/** What every chat can do. */
function useBuiltInCommands(): readonly SlashCommand[] {
  const { conversation, open } = useSession();
  const { openModelPicker, openKeys, undo } = useChatParts();
  const { strings } = useMoreText();
  const { saveMarkdown } = useExport();
  const isEmpty = () => conversation.messageIds.get().length === 0;
  const list: SlashCommand[] = [];
  if (open !== null) {
    list.push({
      name: 'new',
      description: strings.commandNew,
      run: () => {
        if (!isEmpty()) open.create();
      },
    });
  }
  list.push({
    name: 'clear',
    description: strings.commandClear,
    run: () => {
      const root = conversation.messageIds.get()[0];
      if (root === undefined) return;
      // Other wordings of the first message are roots of their own.
      const backs = conversation.siblings(root).map((id) => conversation.remove(id));
      undo.set({
        label: strings.commandCleared,
        undo: () => {
          for (const back of backs) back();
        },
      });
    },
  });
  if (openModelPicker !== null) {
    list.push({
      name: 'model',
      description: strings.commandModel,
      run: ({ argument }) => (argument === '' ? openModelPicker() : conversation.setModel(argument)),
    });
  }
  if (open !== null) {
    list.push({
      name: 'export',
      description: strings.commandExport,
      run: () => saveMarkdown(conversation.id, conversation.title.get() ?? strings.untitled),
    });
  }
  if (openKeys !== null) list.push({ name: 'keys', description: strings.commandKeys, run: openKeys });
  return list;
}
