import { memo, type ReactElement, useLayoutEffect, useRef, useState } from 'react';
import type { LazyPlugin } from '../plugins/lazy-plugin.ts';
import type { MathPlugin } from '../plugins/plugin-types.ts';
import { usePlugin } from '../plugins/use-plugin.ts';

/** A formula. Its source stands there until the plug-in has come, and when the source is no formula. */
export const MathView = memo(function MathView({
  plugin: lazy,
  tex,
  display,
}: {
  plugin: LazyPlugin<MathPlugin> | null;
  tex: string;
  display: boolean;
}): ReactElement {
  const plugin = usePlugin(lazy);
  const host = useRef<HTMLSpanElement>(null);
  const [isDrawn, setDrawn] = useState(false);
  useLayoutEffect(() => {
    const element = plugin?.render(tex, display) ?? null;
    if (element !== null) host.current?.replaceChildren(element);
    setDrawn(element !== null);
  }, [plugin, tex, display]);
  return (
    <span className="zg-math" data-display={display ? '' : undefined}>
      {/* Filled by the plug-in: nothing of React's stands in here. */}
      <span ref={host} hidden={!isDrawn} />
      {isDrawn ? null : <code className="zg-code-inline">{tex}</code>}
    </span>
  );
});
