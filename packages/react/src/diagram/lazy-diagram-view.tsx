import type { ReactElement } from 'react';
import { CodeBlock } from '../markdown/code-block.tsx';
import { lazyPart } from '../parts/lazy-part.tsx';

interface DiagramProps {
  language: string;
  source: string;
}

/** A diagram, see `DiagramView`; until its code is there, its source. */
export const LazyDiagramView = lazyPart<DiagramProps>(
  () => import('./diagram-view.tsx').then(({ DiagramView }) => DiagramView),
  { Waiting: Source },
);

function Source({ language, source }: DiagramProps): ReactElement {
  return (
    <div>
      <CodeBlock language={language} code={source} />
    </div>
  );
}
