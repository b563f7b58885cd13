/** What the fences of packages/react/README.md take as given. */
import type * as Templates from '@ziggie/llm-client/templates';
import type * as Tools from '@ziggie/llm-client/tools';
import type * as React from '@ziggie/llm-react';
import type { ComponentProps, ReactElement } from 'react';

declare global {
  type SlashCommand = React.SlashCommand;
  const ZiggieProvider: typeof React.ZiggieProvider;
  const ZiggieChat: typeof React.ZiggieChat;
  const useObject: typeof React.useObject;
  const z: {
    object<Shape extends Record<string, Tools.StandardSchema>>(
      shape: Shape,
    ): Tools.StandardSchema<{ [Name in keyof Shape]: Tools.OutputOf<Shape[Name]> }>;
    string(): Tools.StandardSchema<string>;
    array<Item extends Tools.StandardSchema>(item: Item): Tools.StandardSchema<Tools.OutputOf<Item>[]>;
  };
  const defineTool: typeof Tools.defineTool;
  const defineTemplate: typeof Templates.defineTemplate;
  const getToken: () => Promise<string>;
  const storage: NonNullable<ComponentProps<typeof React.ZiggieProvider>['storage']>;
  const rules: NonNullable<ComponentProps<typeof React.ZiggieChat>['attachments']>;
  function removeFile(path: string): Promise<string>;
  function Quota(): ReactElement;
  function Sidebar(): ReactElement;
}
