import { useEffect, useState } from 'react';
import type { Source } from '../src/upstream.ts';

/** Where the answers come from; asked again when the visitor comes back to the page. `null` until known. */
export function useSource(): Source | null {
  const [source, setSource] = useState<Source | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    const ask = () => {
      fetch('/demo/source', { signal: controller.signal })
        .then((response) => response.json())
        .then(setSource, () => undefined);
    };
    ask();
    window.addEventListener('focus', ask, { signal: controller.signal });
    return () => controller.abort();
  }, []);
  return source;
}
