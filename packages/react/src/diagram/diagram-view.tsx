import { type ReactElement, useEffect, useRef, useState } from 'react';
import { CodeBlock } from '../markdown/code-block.tsx';
import type { DiagramPlugin } from '../plugins/plugin-types.ts';
import { useRichText } from '../plugins/rich-text-context.tsx';
import { usePlugin } from '../plugins/use-plugin.ts';
import { useText } from '../text/text-context.ts';

/** Longest source that is drawn. */
const MAX_SOURCE = 20_000;

/**
 * A diagram of a complete fence, as an image: nothing in it runs or loads. Until it is drawn, and where it cannot be, its
 * source stands there.
 */
export function DiagramView({ language, source }: { language: string; source: string }): ReactElement {
  const { strings } = useText();
  const plugin = usePlugin(useRichText().diagram);
  const frame = useRef<HTMLDivElement>(null);
  const [showsSource, setShowsSource] = useState(false);
  const url = useDrawing(plugin, language, source, frame);
  if (url === null) {
    return (
      <div ref={frame}>
        <CodeBlock language={language} code={source} />
      </div>
    );
  }
  return (
    <div ref={frame} className="zg-diagram">
      {showsSource ? (
        <CodeBlock language={language} code={source} />
      ) : (
        // The source is what a screen reader can read.
        <img className="zg-diagram-image" src={url} alt={`${strings.diagram}: ${source.slice(0, 400)}`} />
      )}
      <button type="button" className="zg-button-text" onClick={() => setShowsSource(!showsSource)}>
        {showsSource ? strings.diagramShowDrawing : strings.diagramShowSource}
      </button>
    </div>
  );
}

/** Address of the drawn image, `null` while there is none. */
function useDrawing(
  plugin: DiagramPlugin | null,
  language: string,
  source: string,
  frame: { readonly current: HTMLElement | null },
): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (plugin === null || source.length > MAX_SOURCE || !plugin.languages.includes(language)) return;
    let made: string | null = null;
    let wanted = true;
    const dark =
      frame.current !== null && getComputedStyle(frame.current).getPropertyValue('color-scheme') === 'dark';
    plugin.render(source, dark ? 'dark' : 'light').then(
      (svg) => {
        if (!wanted) return;
        made = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
        setUrl(made);
      },
      () => {},
    );
    return () => {
      wanted = false;
      if (made !== null) URL.revokeObjectURL(made);
      setUrl(null);
    };
  }, [plugin, language, source, frame]);
  return url;
}
