import { readFileSync } from 'node:fs';
import { errorKinds } from '@ziggie/llm-protocol';
import { expect, test } from 'vitest';
import { doctorCodes } from '../src/doctor/findings.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => [/^`(\w+)`/.exec(section)?.[1] ?? section.slice(0, 20), section] as const),
);

test('docs/errors.md has one section per code, and none for a code that does not exist', () => {
  expect([...sections.keys()]).toEqual([...Object.keys(errorKinds), ...doctorCodes]);
  expect(page.match(/^### /gm)).toHaveLength(sections.size);
});

test.each(Object.entries(errorKinds))(
  '%s: its status, whether to retry, a cause and a cure',
  (code, kind) => {
    const section = sections.get(code) ?? '';
    const [, facts = ''] = section.split('\n\n');
    expect(facts).toMatch(kind.status === 0 ? /^No HTTP status, / : new RegExp(`^${kind.status}, `));
    expect(facts).toMatch(kind.retryable ? /^[^,]+, retryable/ : /^[^,]+, not retryable/);
    expect(section).toMatch(/\*\*Likely cause:\*\* \S.{20}/);
    expect(section).toMatch(/\*\*What to do:\*\* \S.{20}/);
  },
);

test.each(doctorCodes)('%s of the doctor: a cause and a cure', (code) => {
  const section = sections.get(code) ?? '';
  expect(section).toMatch(/^Only in the log\.$/m);
  expect(section).toMatch(/\*\*Likely cause:\*\* \S.{20}/);
  expect(section).toMatch(/\*\*What to do:\*\* \S.{10}/);
});
