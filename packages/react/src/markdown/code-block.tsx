import type { ReactElement } from 'react';
import { CopyButton } from '../parts/copy-button.tsx';
import { useText } from '../text/text-context.ts';

/** Code with its language, a button that copies it, and lines that scroll instead of breaking. */
export function CodeBlock({ language, code }: { language: string; code: string }): ReactElement {
  const { strings } = useText();
  const name = language === '' ? strings.code : strings.codeIn(language);
  return (
    <figure className="zg-code" aria-label={name} dir="ltr">
      <figcaption className="zg-code-head">
        <span className="zg-code-name">{language === '' ? strings.code : language}</span>
        <CopyButton text={code} label={strings.copyCode} caption />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keyboards must reach what scrolls */}
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
    </figure>
  );
}
