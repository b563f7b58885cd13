import type { ReactElement } from 'react';
import { LazyDiagramView } from '../diagram/lazy-diagram-view.tsx';
import { Formula } from '../math/formula.tsx';
import { FENCE_MARK } from '../math/math-marks.ts';
import { useRichText } from '../plugins/rich-text-context.tsx';
import { CodeBlock } from './code-block.tsx';

interface FencedBlockProps {
  language: string;
  code: string;
  /** Whether there is, or was, more of it to come. Default `false`. */
  growing?: boolean | undefined;
}

/** What stands between two fences: a formula, a diagram once it is complete, or code. */
export function FencedBlock({ language, code, growing = false }: FencedBlockProps): ReactElement {
  const { diagram } = useRichText();
  if (language === FENCE_MARK) return <Formula tex={code} display />;
  if (diagram !== null && !growing && code !== '')
    return <LazyDiagramView language={language} source={code} />;
  return <CodeBlock language={language} code={code} growing={growing} />;
}
