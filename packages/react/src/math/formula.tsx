import type { ReactElement } from 'react';
import { useRichText } from '../plugins/rich-text-context.tsx';
import { usePlugin } from '../plugins/use-plugin.ts';

/** A formula that was found in a text; its source where there is nothing to find formulas with. */
export function Formula(props: { tex: string; display: boolean }): ReactElement {
  const { math, mathFinder } = useRichText();
  const finder = usePlugin(mathFinder);
  if (finder === null) return <code className="zg-code-inline">{props.tex}</code>;
  return <finder.MathView plugin={math} {...props} />;
}
