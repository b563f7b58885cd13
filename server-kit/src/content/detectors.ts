/** What the built-in redactor finds. */
export type RedactKind = 'email' | 'phone' | 'card' | 'iban' | 'key';

/** Every kind, in the order in which they win over each other. */
export const redactKinds: readonly RedactKind[] = ['key', 'email', 'iban', 'card', 'phone'];

/** A place in a text. */
export interface Found {
  start: number;
  end: number;
}

/** Finds one kind of thing in text that may not be whole yet. */
export interface Detector {
  /** Every one in the text. */
  find(text: string): Found[];
  /** Where the end of the text begins that may still become one, or become a longer one; the length when none does. */
  openAt(text: string): number;
}

/** Longest piece that is looked at for an end that is still open, by kind, in characters. */
const reach = { email: 320, digits: 64, iban: 48, key: 4096 };

const emailRun = /[\p{L}\p{N}._%+@-]/u;
const emailLocal = /[\p{L}\p{N}._%+-]/u;
const emailDomain = /@(?:[\p{L}\p{N}-]{1,63}\.){1,8}[\p{L}]{2,24}(?![\p{L}\p{N}-])/uy;

const digitRun = /[\d\s().+/\u00a0\u2010-\u2015-]/;
const separator = '[ \\u00a0.\\u2010-\\u2015-]{0,2}';
const digitGroups = new RegExp(`\\d(?:${separator}\\d)*`, 'g');

const phones = [
  /(?<![\w.])(?:\+|00)[1-9](?:[ ()./\u00a0\u2010-\u2015-]{0,3}\d){6,14}(?![\d])/g,
  /(?<![\w.])\(?\d{3}\)?[ .-]?\d{3}[ .-]\d{4}(?![\w])/g,
  /(?<![\w.])\(?0\d{1,4}\)?[ /-]{1,3}\d(?:[ /-]?\d){4,9}(?![\w])/g,
];

const iban = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])/g;
const ibanOpen = /(?<![A-Za-z0-9])[A-Za-z](?:$|[A-Za-z](?:$|\d(?:$|\d(?: ?[A-Za-z0-9]){0,30} ?$)))/;

const keyRun = /[A-Za-z0-9_.=+/-]/;
/** How keys of common makers begin, and `zk_` of this kit; `eyJ` is a JWT. */
const keyStarts = [
  'sk-',
  'sk_',
  'pk_',
  'rk_',
  'zk_',
  'ghp_',
  'gho_',
  'ghu_',
  'ghs_',
  'ghr_',
  'github_pat_',
  'glpat-',
  'xoxa-',
  'xoxb-',
  'xoxp-',
  'xoxr-',
  'xoxs-',
  'AKIA',
  'ASIA',
  'AIza',
  'ya29.',
  'hf_',
  'npm_',
  'pypi-',
  'eyJ',
];
const keys = [
  new RegExp(
    `(?<![A-Za-z0-9])(?:${keyStarts.map((start) => start.replace('.', '\\.')).join('|')})[A-Za-z0-9_.=+/-]{12,}`,
    'g',
  ),
  /-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|$)/g,
];
const pemStart = '-----BEGIN ';
const pemEnd = /-----END [A-Z ]{0,20}PRIVATE KEY-----/;

/** The detectors of the redactor. */
export const detectors: Readonly<Record<RedactKind, Detector>> = {
  email: { find: emailsIn, openAt: (text) => runStart(text, emailRun, reach.email) },
  phone: { find: (text) => phones.flatMap((one) => matches(one, text)), openAt: openDigits },
  card: {
    find: (text) => matches(digitGroups, text).flatMap((run) => cardsIn(text, run)),
    openAt: openDigits,
  },
  iban: {
    find: (text) => matches(iban, text).flatMap(({ start, end }) => longestIban(text, start, end)),
    openAt(text) {
      const from = Math.max(0, text.length - reach.iban);
      const at = text.slice(from).search(ibanOpen);
      return at === -1 ? text.length : from + at;
    },
  },
  key: { find: (text) => keys.flatMap((one) => matches(one, text)), openAt: openKey },
};

function matches(pattern: RegExp, text: string): Found[] {
  const found: Found[] = [];
  for (const match of text.matchAll(pattern)) {
    found.push({ start: match.index, end: match.index + match[0].length });
  }
  return found;
}

/** From each `@` both ways: a pattern that begins at every letter would be slow on a long word. */
function emailsIn(text: string): Found[] {
  const found: Found[] = [];
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && at - start < 64 && emailLocal.test(text.charAt(start - 1))) start--;
    emailDomain.lastIndex = at;
    if (start < at && emailDomain.test(text)) found.push({ start, end: emailDomain.lastIndex });
  }
  return found;
}

/** Where the run of such characters at the end of the text begins. */
function runStart(text: string, member: RegExp, longest: number): number {
  let at = text.length;
  const stop = Math.max(0, text.length - longest);
  while (at > stop && member.test(text.charAt(at - 1))) at--;
  return at;
}

function openDigits(text: string): number {
  let at = runStart(text, digitRun, reach.digits);
  // Spaces and signs in front of the first digit belong to nothing yet.
  while (at < text.length && !/[\d+(]/.test(text.charAt(at))) at++;
  return at;
}

function openKey(text: string): number {
  const pem = text.lastIndexOf(pemStart);
  if (pem !== -1 && !pemEnd.test(text.slice(pem))) return pem;
  const dashes = runStart(text, /[-BEGIN ]/, pemStart.length);
  const partial = text.slice(dashes);
  const pemAt = partial.indexOf('-');
  const startsPem = pemAt !== -1 && pemStart.startsWith(partial.slice(pemAt)) ? dashes + pemAt : text.length;
  const at = runStart(text, keyRun, reach.key);
  for (let from = at; from < text.length; from++) {
    if (from > 0 && /[A-Za-z0-9]/.test(text.charAt(from - 1))) continue;
    const run = text.slice(from, from + 12);
    if (keyStarts.some((start) => run.startsWith(start) || start.startsWith(text.slice(from)))) {
      return Math.min(from, startsPem);
    }
  }
  return startsPem;
}

/** Card numbers within a run of digits: 13 to 19 digits between two separators, a known first digit, Luhn. */
function cardsIn(text: string, run: Found): Found[] {
  const groups = matches(/\d+/g, text.slice(run.start, run.end));
  const found: Found[] = [];
  for (let first = 0; first < groups.length; first++) {
    let digits = '';
    let best: Found | undefined;
    for (let last = first; last < groups.length && digits.length <= 19; last++) {
      const { start, end } = groups[last] as Found;
      digits += text.slice(run.start + start, run.start + end);
      if (digits.length < 13 || digits.length > 19 || !/^[2-6]/.test(digits) || !passesLuhn(digits)) continue;
      best = { start: run.start + (groups[first] as Found).start, end: run.start + end };
    }
    if (best) found.push(best);
  }
  return found;
}

/** ISO/IEC 7812-1, annex B. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, doubled = false; at >= 0; at--, doubled = !doubled) {
    const digit = digits.charCodeAt(at) - 48;
    sum += doubled ? digit * 2 - (digit > 4 ? 9 : 0) : digit;
  }
  return sum % 10 === 0;
}

/** The longest IBAN that begins here: words that follow it look like its last groups. */
function longestIban(text: string, start: number, end: number): Found[] {
  for (let stop = end; stop - start >= 15; stop--) {
    if (/[A-Za-z0-9]/.test(text.charAt(stop)) || text.charAt(stop - 1) === ' ') continue;
    if (isIban(text.slice(start, stop).replaceAll(' ', ''))) return [{ start, end: stop }];
  }
  return [];
}

/** ISO 13616: 15 to 34 characters, and a remainder of 1 by 97 (ISO 7064). */
export function isIban(text: string): boolean {
  if (text.length < 15 || text.length > 34) return false;
  let rest = 0;
  for (const sign of (text.slice(4) + text.slice(0, 4)).toUpperCase()) {
    const value = Number.parseInt(sign, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
