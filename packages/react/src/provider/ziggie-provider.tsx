import { type ReactElement, type ReactNode, useMemo, useRef } from 'react';
import { RichTextProvider } from '../plugins/rich-text-context.tsx';
import { HostTextContext } from '../text/host-text-context.ts';
import type { Strings } from '../text/strings.ts';
import { ToolViewsContext } from '../tools/tool-views.ts';
import type { ZiggieProviderProps } from './provider-props.ts';
import { SessionContext } from './session.ts';
import { useOpenSession } from './use-open-session.ts';

/**
 * Opens one conversation for the components and hooks inside.
 *
 * ```tsx
 * <ZiggieProvider endpoint="/api/llm" credentials={getToken}>
 *   <ZiggieChat />
 * </ZiggieProvider>
 * ```
 *
 * @throws {TypeError} without `client`, `endpoint` and `conversation`.
 */
export function ZiggieProvider(props: ZiggieProviderProps): ReactElement {
  const session = useOpenSession(props);
  return (
    <TextProvider strings={props.strings} locale={props.locale}>
      <RichTextProvider plugins={props.plugins} imageHosts={props.imageHosts}>
        <ToolViewsContext.Provider value={props.toolViews ?? noViews}>
          <SessionContext.Provider value={session}>{props.children}</SessionContext.Provider>
        </ToolViewsContext.Provider>
      </RichTextProvider>
    </TextProvider>
  );
}

const noViews = {};

interface TextProviderProps {
  strings?: Partial<Strings> | undefined;
  locale?: string | undefined;
  children?: ReactNode | undefined;
}

function TextProvider({ strings, locale, children }: TextProviderProps): ReactElement {
  const own = useShallowStable(strings);
  const text = useMemo(() => ({ own, locale }), [own, locale]);
  return <HostTextContext.Provider value={text}>{children}</HostTextContext.Provider>;
}

/** The object before as long as the new one holds the same, so that `strings={{ … }}` does not render everything. */
function useShallowStable<T extends object>(value: T | undefined): T | undefined {
  const box = useRef(value);
  if (!sameMembers(box.current, value)) box.current = value;
  return box.current;
}

function sameMembers(one: object | undefined, other: object | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const entries = Object.entries(one);
  return (
    entries.length === Object.keys(other).length &&
    entries.every(([key, value]) => Object.is(value, (other as Record<string, unknown>)[key]))
  );
}
