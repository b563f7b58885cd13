import { expect, test } from 'vitest';
import { ziggieJudge } from './judges.ts';
import { tokenCorpus } from './token-corpus.ts';

test('every token of the corpus is judged right', async () => {
  const judge = ziggieJudge();
  const wrong: string[] = [];
  const corpus = tokenCorpus();
  for (const { name, verifier, token, good } of corpus) {
    if ((await judge(verifier, token)) !== good)
      wrong.push(`${verifier} ${name}: ${good ? 'refused' : 'ACCEPTED'}`);
  }
  expect(wrong).toEqual([]);
  expect(corpus.filter(({ good }) => !good).length).toBeGreaterThan(500);
  expect(corpus.filter(({ good }) => good).length).toBeGreaterThanOrEqual(70);
});
