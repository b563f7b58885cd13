import { type ReactElement, useState } from 'react';
import { useRichText } from '../plugins/rich-text-context.tsx';
import { useText } from '../text/text-context.ts';
import { hostOf } from './safe-url.ts';

/**
 * An image of the text. It loads when the reader asks for it, or by itself from a host that the page allows: its address
 * can carry what was said, and loading it tells its host that, when and by whom it was read. Only `http` and `https`
 * addresses can be loaded at all, and without a referrer.
 */
export function RemoteImage({ src, alt }: { src: string; alt: string }): ReactElement {
  const { strings } = useText();
  const { imageHosts, allowedHosts } = useRichText();
  const host = hostOf(src);
  const [asked, setAsked] = useState(false);
  const [failed, setFailed] = useState(false);
  if (host === undefined) return <span className="zg-image-off">{alt === '' ? strings.imageHere : alt}</span>;
  if (failed) return <span className="zg-image-off">{strings.imageFailed(host)}</span>;
  if (asked || imageHosts.includes(host) || allowedHosts.has(host)) {
    return (
      <img
        className="zg-image"
        src={src}
        alt={alt}
        loading="lazy"
        decoding="async"
        referrerPolicy="no-referrer"
        onError={() => setFailed(true)}
      />
    );
  }
  const load = () => {
    allowedHosts.add(host);
    setAsked(true);
  };
  return (
    <button type="button" className="zg-image-off" onClick={load}>
      {alt === '' ? strings.loadImageFrom(host) : strings.loadImageNamed(alt, host)}
    </button>
  );
}
