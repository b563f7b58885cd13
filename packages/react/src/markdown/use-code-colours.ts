import { type RefCallback, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useRichText } from '../plugins/rich-text-context.tsx';
import { usePlugin } from '../plugins/use-plugin.ts';

/** Colours the text of the element it is given as `ref`, when there is a plug-in that knows the language. */
export function useCodeColours(code: string, language: string, growing: boolean): RefCallback<HTMLElement> {
  const richText = useRichText();
  const plugin = usePlugin(richText.code);
  const painting = usePlugin(richText.painter);
  const painter = useMemo(() => painting && new painting.CodePainter(), [painting]);
  const element = useRef<HTMLElement | null>(null);
  const ready = useLanguage(language);

  useEffect(() => {
    const node = element.current?.firstChild;
    if (plugin !== null && ready && node instanceof Text)
      painter?.paint(node, code, growing, plugin, language);
  }, [painter, plugin, ready, code, language, growing]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another plug-in or language begins anew
  useEffect(() => () => painter?.clear(), [painter, plugin, language]);

  return useCallback((node) => {
    element.current = node;
  }, []);
}

/** Whether what the language needs is there. */
function useLanguage(language: string): boolean {
  const plugin = usePlugin(useRichText().code);
  const [loaded, setLoaded] = useState<string | null>(null);
  useEffect(() => {
    if (plugin === null || language === '') return;
    let wanted = true;
    plugin.load(language).then(
      (known) => {
        if (wanted && known) setLoaded(language);
      },
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [plugin, language]);
  return loaded === language && language !== '';
}
