/** What the fences of packages/react/README.md take as given. */
import type * as Templates from '@ziggie/llm-client/templates';
import type * as Tools from '@ziggie/llm-client/tools';
import type * as React from '@ziggie/llm-react';
import type { ComponentProps, ReactElement } from 'react';

declare global {
  type SlashCommand = React.SlashCommand;
  const ZiggieProvider: typeof React.ZiggieProvider;
  const ZiggieChat: typeof React.ZiggieChat;
  const defineTool: typeof Tools.defineTool;
  const defineTemplate: typeof Templates.defineTemplate;
  const getToken: () => Promise<string>;
  const storage: NonNullable<ComponentProps<typeof React.ZiggieProvider>['storage']>;
  const rules: NonNullable<ComponentProps<typeof React.ZiggieChat>['attachments']>;
  function removeFile(path: string): Promise<string>;
  function Quota(): ReactElement;
  function Sidebar(): ReactElement;
}
