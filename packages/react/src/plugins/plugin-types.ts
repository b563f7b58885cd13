/** What a piece of code is, for its colour. Each has a token `--zg-code-<kind>` and a highlight named `zg-<kind>`. */
export type CodeKind =
  | 'comment'
  | 'function'
  | 'keyword'
  | 'meta'
  | 'number'
  | 'property'
  | 'string'
  | 'tag'
  | 'type'
  | 'added'
  | 'removed';

/** A coloured piece of a code text: UTF-16 offsets, `end` not included. Pieces do not overlap and are in order. */
export interface CodeToken {
  readonly kind: CodeKind;
  readonly start: number;
  readonly end: number;
}

/** Colours code. Ready made in `@ziggie/llm-react/plugins/code`. */
export interface CodePlugin {
  /** Gets what a language needs. `false` when it is not known; the code then stays plain. */
  load(language: string): Promise<boolean>;
  /** Called for a language that was loaded, again and again while its code grows. Must not throw for any text. */
  tokens(code: string, language: string): readonly CodeToken[];
}

/** Shows formulas. Ready made in `@ziggie/llm-react/plugins/math`. */
export interface MathPlugin {
  /**
   * Makes an element of TeX that a model wrote, or `null` when it is no formula: then its source is shown. The element must
   * hold no script, no address and no markup of the text.
   */
  render(tex: string, display: boolean): Element | null;
}

/** Draws diagrams of code fences. Ready made for Mermaid in `@ziggie/llm-react/plugins/mermaid`. */
export interface DiagramPlugin {
  /** Languages of the fences it draws, such as `mermaid`. */
  readonly languages: readonly string[];
  /**
   * An SVG document of a source that a model wrote. It is shown as an image, in which nothing runs and nothing loads. A
   * rejection leaves the source as code.
   */
  render(source: string, scheme: 'light' | 'dark'): Promise<string>;
}

/**
 * What makes answers richer, each fetched when the first answer needs it: give functions with a dynamic `import` in them.
 *
 * ```tsx
 * const plugins = {
 *   code: () => import('@ziggie/llm-react/plugins/code').then((module) => module.codePlugin),
 * };
 * ```
 */
export interface RichTextPlugins {
  code?: (() => Promise<CodePlugin>) | undefined;
  math?: (() => Promise<MathPlugin>) | undefined;
  diagram?: (() => Promise<DiagramPlugin>) | undefined;
}
