import type { ToolUse } from '@ziggie/llm-client/conversation';
import { type ComponentType, createContext, useContext } from 'react';

/** How calls of one tool look. */
export interface ToolView {
  /** What it does, as a phrase: `Looking up the weather in Zug`. Default: made of the tool's name. */
  title?: ((use: ToolUse) => string) | undefined;
  /**
   * Whether it does harm that cannot be undone. Then neither answer to it is put forward. Default `true`: only what is said
   * to be harmless is.
   */
  destructive?: boolean | ((use: ToolUse) => boolean) | undefined;
  /** Shows the result in place of its text, always in sight. */
  Result?: ComponentType<{ use: ToolUse }> | undefined;
}

/** Views by the tools' names. */
export type ToolViews = Readonly<Record<string, ToolView | undefined>>;

export const ToolViewsContext = createContext<ToolViews>({});

/** The host app's view of a tool, empty when it has none. */
export function useToolView(name: string): ToolView {
  const views = useContext(ToolViewsContext);
  return (Object.hasOwn(views, name) ? views[name] : undefined) ?? {};
}
