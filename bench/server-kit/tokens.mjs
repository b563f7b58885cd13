/**
 * How many tokens of the corpus each library judges right, into TOKENS.md.
 * Run: node --conditions=@ziggie/source bench/server-kit/tokens.mjs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  fastJwtJudge,
  joseJudge,
  jsonwebtokenJudge,
  ziggieJudge,
} from '../../server-kit/test/identity/judges.ts';
import { tokenCorpus } from '../../server-kit/test/identity/token-corpus.ts';

const require = createRequire(new URL('../../server-kit/package.json', import.meta.url));
/** @param {string} name */
const versionOf = (name) => {
  const path = require.resolve(name).split(`/node_modules/${name}/`)[0];
  return JSON.parse(readFileSync(`${path}/node_modules/${name}/package.json`, 'utf8')).version;
};
const judges = {
  '@ziggie/llm-server-kit': ziggieJudge(),
  [`jose ${versionOf('jose')}`]: joseJudge,
  [`jsonwebtoken ${versionOf('jsonwebtoken')}`]: jsonwebtokenJudge,
  [`fast-jwt ${versionOf('fast-jwt')}`]: fastJwtJudge,
};
const corpus = tokenCorpus();
const groups = [...new Set(corpus.map(({ name }) => name.split(':')[0] ?? ''))];
/** @type {Record<string, { wrong: string[], right: Record<string, number>, accepted: number, refused: number }>} */
const results = {};
for (const [who, judge] of Object.entries(judges)) {
  const result = {
    wrong: /** @type {string[]} */ ([]),
    right: /** @type {Record<string, number>} */ ({}),
    accepted: 0,
    refused: 0,
  };
  for (const { name, verifier, token, good } of corpus) {
    const group = name.split(':')[0] ?? '';
    const isRight = (await judge(verifier, token)) === good;
    if (isRight) result.right[group] = (result.right[group] ?? 0) + 1;
    else {
      if (good) result.refused++;
      else result.accepted++;
      result.wrong.push(`${good ? 'refuses' : 'accepts'} ${name}`);
    }
  }
  results[who] = result;
}
/** @param {readonly unknown[]} cells */
const row = (cells) => `| ${cells.join(' | ')} |`;
const names = Object.keys(judges);
const total = (/** @type {string} */ group) =>
  corpus.filter(({ name }) => name.startsWith(`${group}:`)).length;
const lines = [
  '# Tokens judged right',
  '',
  `${corpus.length} tokens (${corpus.filter(({ good }) => good).length} good ones) for five verifiers: HS256, RS256, PS256, ES256, EdDSA. Each library`,
  'alone, told the algorithm, issuer, audience, leeway and required claims as far as it can be told. The corpus is written',
  'from RFC 8725, RFC 7515 and public advisories: `server-kit/test/identity/token-corpus.ts`. Made by',
  '`node --conditions=@ziggie/source bench/server-kit/tokens.mjs`.',
  '',
  row(['group', 'tokens', ...names]),
  row(['---', '---:', ...names.map(() => '---:')]),
  ...groups.map((group) =>
    row([group, total(group), ...names.map((who) => results[who]?.right[group] ?? 0)]),
  ),
  row([
    '**all**',
    corpus.length,
    ...names.map((who) => `**${corpus.length - (results[who]?.wrong.length ?? 0)}**`),
  ]),
  row(['bad ones accepted', '', ...names.map((who) => results[who]?.accepted)]),
  row(['good ones refused', '', ...names.map((who) => results[who]?.refused)]),
  '',
  '## What each judges wrong',
  '',
  ...names.flatMap((who) => {
    const counts = new Map();
    for (const what of results[who]?.wrong ?? []) counts.set(what, (counts.get(what) ?? 0) + 1);
    const list = [...counts].map(([what, count]) => `- ${what}${count > 1 ? ` (${count} verifiers)` : ''}`);
    return [`**${who}**`, '', ...(list.length > 0 ? list : ['- nothing']), ''];
  }),
  'jsonwebtoken has no EdDSA, so it refuses those good tokens; it and fast-jwt cannot be told every claim rule. Some of',
  'these are rules that the kit adds on purpose (canonical base64url, `typ`, no `crit` at all), not faults of a library.',
  '',
];
writeFileSync(new URL('TOKENS.md', import.meta.url), lines.join('\n'));
for (const who of names)
  console.log(who.padEnd(28), `${corpus.length - (results[who]?.wrong.length ?? 0)} of ${corpus.length}`);
