import type { ReactElement } from 'react';
import { useConnection } from '../hooks/use-connection.ts';
import { OfflineIcon } from '../icons/action-icons.tsx';
import { useText } from '../text/text-context.ts';

/** Says that there is no network, and what waits for it. */
export function OfflineBar(): ReactElement | null {
  const { strings, format } = useText();
  const { online, waiting } = useConnection();
  if (online) return null;
  return (
    <div className="zg-card zg-offline" data-tone="info" role="status">
      <OfflineIcon />
      <div className="zg-card-text">
        <p className="zg-card-title">{strings.offlineTitle}</p>
        <p>{waiting === 0 ? strings.offlineText : strings.offlineWaiting(waiting, format.count(waiting))}</p>
      </div>
    </div>
  );
}
