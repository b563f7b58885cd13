import type { Source } from '@ziggie/llm-client/conversation';
import type { ReactElement } from 'react';
import { hostOf } from '../markdown/safe-url.ts';
import { useText } from '../text/text-context.ts';

/** Where an answer comes from, numbered. An address that is no web page is no link. */
export function Sources({ sources }: { sources: readonly Source[] }): ReactElement {
  const { strings } = useText();
  return (
    <section className="zg-sources" aria-label={strings.sources}>
      <ol>
        {sources.map(({ id, title, url, excerpt }, index) => {
          const host = url === undefined ? undefined : hostOf(url);
          const name = title ?? host ?? id;
          return (
            <li key={id}>
              <span className="zg-source-number">{index + 1}</span>
              {host === undefined ? (
                <span title={excerpt}>{name}</span>
              ) : (
                <a href={url} target="_blank" rel="noopener noreferrer nofollow" title={excerpt}>
                  {name}
                </a>
              )}
              {host === undefined || host === name ? null : <span className="zg-source-host">{host}</span>}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
