import { type ReactElement, type ReactNode, useCallback, useState } from 'react';
import { type Announce, AnnounceContext } from './announce-context.ts';

/** The two live regions of a chat: one that waits its turn, one that interrupts and is for failures only. */
export function Announcer({ children }: { children: ReactNode }): ReactElement {
  const [polite, setPolite] = useState('');
  const [assertive, setAssertive] = useState('');
  const announce = useCallback<Announce>((text, options) => {
    if (options?.assertive === true) setAssertive(text);
    else setPolite(text);
  }, []);
  return (
    <AnnounceContext.Provider value={announce}>
      {children}
      <div className="zg-sr" aria-live="polite" data-zg-live="polite">
        {polite}
      </div>
      <div className="zg-sr" aria-live="assertive" data-zg-live="assertive">
        {assertive}
      </div>
    </AnnounceContext.Provider>
  );
}
