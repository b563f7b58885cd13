import { Fragment, type ReactNode } from 'react';
import { Link } from './inline-parts.tsx';
import { safeUrl } from './safe-url.ts';

const address =
  /(?<![\p{L}\p{N}])(?:https?:\/\/|www\.)[\w-]+(?:\.[\w-]+)+[^\s<>[\]]*|(?<![\w+.-])[\w+.-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/giu;

/**
 * Addresses in a text as links: those of mail, and others that the parser leaves alone because a bracket before them might
 * become a link. What ends a sentence is no part of them.
 */
export function linkWords(text: string, key: number): ReactNode {
  if (!text.includes('@') && !text.includes('[')) return text;
  const parts: ReactNode[] = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(address)) {
    const words = found.replace(found.includes('(') ? /[?!.,:;*_~'"-]+$/ : /[?!.,:;*_~'")-]+$/, '');
    parts.push(
      text.slice(done, index),
      <Link key={index} href={safeUrl(addressOf(words))}>
        {words}
      </Link>,
    );
    done = index + words.length;
  }
  if (done === 0) return text;
  return (
    <Fragment key={key}>
      {parts}
      {text.slice(done)}
    </Fragment>
  );
}

function addressOf(words: string): string {
  if (/^https?:/i.test(words)) return words;
  return /^www\./i.test(words) ? `http://${words}` : `mailto:${words}`;
}
