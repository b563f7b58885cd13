import type { ReactElement, ReactNode } from 'react';
import type { Components, ExtraProps } from 'react-markdown';
import { readMathSpan } from '../math/math-marks.ts';
import { MathView } from '../math/math-view.tsx';
import { FencedBlock } from './fenced-block.tsx';
import { Link, TaskMark } from './inline-parts.tsx';
import { RemoteImage } from './remote-image.tsx';
import { TableRegion } from './table-region.tsx';

type HastElement = NonNullable<ExtraProps['node']>;

/** What stands for each element of the parsed text. No element takes attributes of the text beyond those named here. */
export const components: Components = {
  a: ({ href, children }) => <Link href={href}>{children}</Link>,
  img: ({ src, alt }) => <RemoteImage src={typeof src === 'string' ? src : ''} alt={alt ?? ''} />,
  pre: ({ node }) => <FencedBlock {...codeOf(node)} />,
  code: ({ children }) => {
    const math = typeof children === 'string' ? readMathSpan(children) : null;
    return math === null ? <code className="zg-code-inline">{children}</code> : <MathView {...math} />;
  },
  table: ({ children }) => <TableRegion>{children}</TableRegion>,
  th: ({ style, children }) => <th data-align={style?.textAlign}>{children}</th>,
  td: ({ style, children }) => <td data-align={style?.textAlign}>{children}</td>,
  input: ({ checked }) => <TaskMark done={checked === true} />,
  // The page around has its own headings: those of an answer stand below them.
  h1: heading('h3'),
  h2: heading('h4'),
  h3: heading('h5'),
  h4: heading('h6'),
  h5: heading('h6'),
  h6: heading('h6'),
  p: ({ children }) => <p dir="auto">{children}</p>,
  ul: ({ className, children }) => (
    <ul dir="auto" data-tasks={className?.includes('contains-task-list') ? '' : undefined}>
      {children}
    </ul>
  ),
  ol: ({ start, children }) => (
    <ol dir="auto" start={start}>
      {children}
    </ol>
  ),
  li: ({ children }) => <li>{children}</li>,
  blockquote: ({ children }) => <blockquote dir="auto">{children}</blockquote>,
};

function heading(Tag: 'h3' | 'h4' | 'h5' | 'h6') {
  return function Heading({ children }: { children?: ReactNode | undefined }): ReactElement {
    return <Tag dir="auto">{children}</Tag>;
  };
}

/** Language and text of a parsed code block. */
function codeOf(pre: HastElement | undefined): { language: string; code: string } {
  const child = pre?.children[0];
  if (child?.type !== 'element') return { language: '', code: '' };
  const names = child.properties['className'];
  const named = Array.isArray(names) ? names.find((name) => String(name).startsWith('language-')) : undefined;
  const text = child.children.map((part) => (part.type === 'text' ? part.value : '')).join('');
  return { language: String(named ?? '').slice('language-'.length), code: text.replace(/\n+$/, '') };
}
