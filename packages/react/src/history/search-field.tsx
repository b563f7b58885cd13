import { type ReactElement, useEffect, useState } from 'react';
import { useMoreText } from '../text/use-more-text.ts';

/** How long the typing rests before it is searched for, in ms. */
const REST_MS = 150;

/** Looks through titles and messages while it is typed in. Escape empties it. */
export function SearchField({ onSearch }: { onSearch: (query: string) => Promise<void> }): ReactElement {
  const { strings } = useMoreText();
  const [query, setQuery] = useState('');
  useEffect(() => {
    // What is searched for is shown as far as it was found; a storage that fails shows as a list that failed.
    const timer = setTimeout(() => void onSearch(query).catch(() => {}), query === '' ? 0 : REST_MS);
    return () => clearTimeout(timer);
  }, [query, onSearch]);
  return (
    <input
      className="zg-input"
      type="search"
      autoComplete="off"
      value={query}
      aria-label={strings.search}
      placeholder={strings.search}
      onChange={(event) => setQuery(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || query === '' || event.nativeEvent.isComposing) return;
        event.stopPropagation();
        setQuery('');
      }}
    />
  );
}
