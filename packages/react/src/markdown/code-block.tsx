import type { ReactElement } from 'react';
import { DownloadIcon } from '../icons/icons.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { downloadText } from '../parts/download-text.ts';
import { useText } from '../text/text-context.ts';
import { codeFileName } from './code-file-name.ts';
import { showBidi } from './show-bidi.ts';
import { useCodeColours } from './use-code-colours.ts';

interface CodeBlockProps {
  language: string;
  code: string;
  /** Whether more of it may come. Default `false`. */
  growing?: boolean | undefined;
}

/** Code with its language, buttons that copy and save it, and lines that scroll instead of breaking. */
export function CodeBlock({ language, code, growing = false }: CodeBlockProps): ReactElement {
  const { strings } = useText();
  const shown = showBidi(code);
  const colours = useCodeColours(shown, language, growing);
  const name = language === '' ? strings.code : strings.codeIn(language);
  return (
    <figure className="zg-code" aria-label={name} dir="ltr">
      <figcaption className="zg-code-head">
        <span className="zg-code-name">{language === '' ? strings.code : language}</span>
        <button
          type="button"
          className="zg-icon-button"
          aria-label={strings.downloadCode}
          title={strings.downloadCode}
          onClick={(event) => downloadText(codeFileName(language), code, 'text/plain', event.currentTarget)}
        >
          <DownloadIcon />
        </button>
        <CopyButton text={code} label={strings.copyCode} caption />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keyboards must reach what scrolls */}
      <pre tabIndex={0}>
        <code ref={colours}>{shown}</code>
      </pre>
    </figure>
  );
}
