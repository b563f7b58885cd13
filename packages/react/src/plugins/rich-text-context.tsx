import { createContext, type ReactElement, type ReactNode, useContext, useMemo, useState } from 'react';
import { useLatest } from '../hooks/use-latest.ts';
import { LazyPlugin } from './lazy-plugin.ts';
import type { MathFinder } from './math-finder-type.ts';
import type { CodePlugin, DiagramPlugin, MathPlugin, RichTextPlugins } from './plugin-types.ts';

/** What answers may show beyond text. */
export interface RichTextOptions {
  /** Colours, formulas and diagrams. Which ones there are is read when the component is mounted. */
  plugins?: RichTextPlugins | undefined;
  /**
   * Hosts whose images load by themselves, such as `images.example.com`. Default none: an image that a model names tells
   * its host when, what and where somebody reads, so it loads when the reader asks for it.
   */
  imageHosts?: readonly string[] | undefined;
}

interface RichText {
  readonly code: LazyPlugin<CodePlugin> | null;
  readonly painter: LazyPlugin<typeof import('../markdown/code-painter.ts')> | null;
  readonly math: LazyPlugin<MathPlugin> | null;
  /** Finds formulas in a text. Fetched before the plug-in, which waits for the first of them. */
  readonly mathFinder: LazyPlugin<MathFinder> | null;
  readonly diagram: LazyPlugin<DiagramPlugin> | null;
  readonly imageHosts: readonly string[];
  /** Hosts that the reader allowed, for as long as the component lives. */
  readonly allowedHosts: Set<string>;
}

const none: readonly string[] = [];
const plain: RichText = {
  code: null,
  painter: null,
  math: null,
  mathFinder: null,
  diagram: null,
  imageHosts: none,
  allowedHosts: new Set(),
};
const RichTextContext = createContext<RichText>(plain);

/** Gives `Markdown` below it plug-ins and image hosts. `ZiggieChat` and `ZiggieProvider` take the same as props. */
export function RichTextProvider({
  plugins,
  imageHosts = none,
  children,
}: RichTextOptions & { children?: ReactNode | undefined }): ReactElement {
  const latest = useLatest(plugins);
  const [lazy] = useState(() => ({
    code: plugins?.code && new LazyPlugin(() => present(latest.current?.code)),
    painter: plugins?.code && new LazyPlugin(() => import('../markdown/code-painter.ts')),
    math: plugins?.math && new LazyPlugin(() => present(latest.current?.math)),
    mathFinder: plugins?.math && new LazyPlugin(() => import('../math/math-finder.ts')),
    diagram: plugins?.diagram && new LazyPlugin(() => present(latest.current?.diagram)),
    allowedHosts: new Set<string>(),
  }));
  const value = useMemo<RichText>(
    () => ({
      code: lazy.code ?? null,
      painter: lazy.painter ?? null,
      math: lazy.math ?? null,
      mathFinder: lazy.mathFinder ?? null,
      diagram: lazy.diagram ?? null,
      imageHosts,
      allowedHosts: lazy.allowedHosts,
    }),
    [lazy, imageHosts],
  );
  return <RichTextContext.Provider value={value}>{children}</RichTextContext.Provider>;
}

function present<T>(fetch: (() => Promise<T>) | undefined): Promise<T> {
  return fetch === undefined ? Promise.reject(new Error('The plug-in was taken away.')) : fetch();
}

export function useRichText(): RichText {
  return useContext(RichTextContext);
}
