import { Fragment, type ReactNode } from 'react';
import { Link } from './inline-parts.tsx';
import { safeUrl } from './safe-url.ts';

const address = /(?<![\p{L}\p{N}])(?:https?:\/\/|www\.)[\w-]+(?:\.[\w-]+)+[^\s<>[\]]*/giu;

/**
 * Addresses in a text that holds a bracket, as links: the parser leaves them alone there, as the bracket might become a
 * link. What ends a sentence is no part of them.
 */
export function linkWords(text: string, key: number): ReactNode {
  if (!text.includes('[')) return text;
  const parts: ReactNode[] = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(address)) {
    const words = found.replace(found.includes('(') ? /[?!.,:;*_~'"]+$/ : /[?!.,:;*_~'")]+$/, '');
    parts.push(text.slice(done, index));
    parts.push(
      <Link key={index} href={safeUrl(/^www/i.test(words) ? `http://${words}` : words)}>
        {words}
      </Link>,
    );
    done = index + words.length;
  }
  return done === 0 ? (
    text
  ) : (
    <Fragment key={key}>
      {parts}
      {text.slice(done)}
    </Fragment>
  );
}
