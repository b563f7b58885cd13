import type { Root } from 'hast';
import type { LanguageFn } from 'highlight.js';
import { createLowlight } from 'lowlight';
import type { CodeKind, CodePlugin, CodeToken } from '../plugin-types.ts';
import { kindOfClasses } from './code-kinds.ts';
import { commonLanguages, languageName } from './languages.ts';

/**
 * A plug-in that colours code by highlight.js. Needs `lowlight` and `highlight.js` installed.
 *
 * @param more Languages beside the 41 that are known, each as a function that imports it:
 *   `{ zig: () => import('my-highlightjs-zig') }`.
 */
export function createCodePlugin(
  more: Readonly<Record<string, () => Promise<{ default: LanguageFn }>>> = {},
): CodePlugin {
  const lowlight = createLowlight();
  const loading = new Map<string, Promise<boolean>>();

  async function load(name: string): Promise<boolean> {
    const get = own(more, name) ?? own(commonLanguages, name);
    if (get === undefined) return false;
    lowlight.register(name, (await get()).default);
    return true;
  }

  return {
    load(language) {
      const name = languageName(language);
      let job = loading.get(name);
      if (job === undefined) {
        job = load(name);
        loading.set(name, job);
        // A chunk that could not be fetched may come the next time.
        job.catch(() => loading.delete(name));
      }
      return job;
    },
    tokens(code, language) {
      try {
        return tokensOf(lowlight.highlight(languageName(language), code));
      } catch {
        return [];
      }
    },
  };
}

/** The plug-in with the languages that models write most. */
export const codePlugin: CodePlugin = createCodePlugin();

function own<T>(from: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(from, name) ? from[name] : undefined;
}

/** The tree as pieces in order; where pieces lie in one another, the inner one is kept. */
function tokensOf(root: Root): CodeToken[] {
  const tokens: CodeToken[] = [];
  let at = 0;
  const walk = (nodes: Root['children'], kind: CodeKind | undefined): void => {
    for (const node of nodes) {
      if (node.type === 'text') {
        const start = at;
        at += node.value.length;
        if (kind === undefined) continue;
        const last = tokens.at(-1);
        if (last?.kind === kind && last.end === start) tokens[tokens.length - 1] = { ...last, end: at };
        else tokens.push({ kind, start, end: at });
      } else if (node.type === 'element') {
        const classes = node.properties['className'];
        walk(node.children, (Array.isArray(classes) ? kindOfClasses(classes) : undefined) ?? kind);
      }
    }
  };
  walk(root.children, undefined);
  return tokens;
}
