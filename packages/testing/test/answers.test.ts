import { describe, expect, it } from 'vitest';
import { ask, inProcess, jsonOf, recordsOf, textOf } from './doors.ts';

const questions = [
  'hi',
  'What is a monad?',
  'How do I install this?',
  'Compare cats and dogs',
  'Write a function that adds',
  'Show me Python',
  'Which settings are there?',
  'Make a plan for Tuesday',
  'Tell me a story about rain',
  'Why is the sky blue?',
  'Who was Ada Lovelace?',
  'Is water wet?',
  'The weather in Oslo',
  'ما هو الذكاء',
  '東京について教えて',
  '🦙',
  '"> </script> **x** [a](javascript:1) ``` | # <b>',
  'a'.repeat(5000),
];

async function answers() {
  const { post } = await inProcess.open();
  const whole = async (body: object) => {
    const record = await jsonOf(await post('/api/chat', { stream: false, ...body }));
    return record.message?.content ?? '';
  };
  return { post, whole };
}

/** What an answer with its code taken out must not have, and its parts. */
function takeApart(markdown: string) {
  const fences = markdown.match(/^ *```/gm) ?? [];
  const prose = markdown.replace(/^( *)```(\w*)\n[\s\S]*?^\1```$/gm, '').replace(/`[^`\n]+`/g, 'code');
  const tables = prose.split('\n').filter((line) => line.startsWith('|'));
  return { fences, prose, tables };
}

describe('built-in answers', () => {
  it.each(questions)('are well-formed Markdown that says what it is: %s', async (question) => {
    const { post } = await answers();
    const records = await recordsOf(await post('/api/chat', ask(question)));
    const text = textOf(records);
    expect(text).toMatch(/stand-in/);
    expect(text).toContain('`ollama pull llama3.2`');
    expect(text).toContain('https://ollama.com/download');
    expect(records.at(-1)?.eval_count).toBeGreaterThanOrEqual(80);
    expect(records.at(-1)?.eval_count).toBeLessThanOrEqual(400);
    const { fences, prose, tables } = takeApart(text);
    expect(fences.length % 2).toBe(0);
    expect(prose).not.toContain('```');
    expect((prose.match(/\*\*/g) ?? []).length % 2).toBe(0);
    expect((prose.replaceAll('**', '').match(/\*/g) ?? []).length % 2).toBe(0);
    expect(new Set(tables.map((row) => row.split('|').length)).size).toBeLessThanOrEqual(1);
    expect(prose).not.toMatch(/<\/?\w|javascript:|undefined|\[object|NaN/);
  });

  it('come in at least eight forms, all of the common ones in ten questions', async () => {
    const { whole } = await answers();
    const texts = await Promise.all(
      Array.from({ length: 60 }, (_, index) => whole(ask(`The subject of number ${index}`))),
    );
    const forms = new Set(
      texts.map((text) => text.split('\n').filter((line) => /^[#|\d`-]/.test(line)).length),
    );
    const bodies = new Set(texts.map((text) => text.replace(/number \d+/gi, '').slice(-150)));
    expect(forms.size).toBeGreaterThanOrEqual(6);
    expect(bodies.size).toBeGreaterThanOrEqual(8);
    const all = texts.join('\n');
    for (const form of [
      /^#{2,3} /m,
      /^\|/m,
      /^```ts/m,
      /^```python/m,
      /^\d\. /m,
      /^- \[x\]/m,
      /^> /m,
      /\*\*/,
    ]) {
      expect(all).toMatch(form);
    }
  });

  it('name the subject of the question', async () => {
    const { whole } = await answers();
    expect(await whole(ask('What is a monad?'))).toMatch(/monad/i);
    expect(await whole(ask('Could you please explain the Krebs cycle to me?'))).toMatch(/Krebs cycle/);
  });

  it('are the same for the same question, whoever asks', async () => {
    const [one, two] = [await answers(), await answers()];
    expect(await one.whole(ask('Why?'))).toBe(await two.whole(ask('Why?')));
    expect(await one.whole(ask('Why?'))).not.toBe(await one.whole(ask('Why not?')));
  });

  it('notice how long the conversation is', async () => {
    const { whole } = await answers();
    const turn = (content: string) => [
      { role: 'user', content },
      { role: 'assistant', content: '…' },
    ];
    const messages = [...turn('one'), ...turn('two'), { role: 'user', content: 'three' }];
    expect(await whole({ model: 'stand-in', messages })).toMatch(/third question/i);
    expect(await whole(ask('one'))).not.toMatch(/question (in|of) this conversation/);
  });

  it('do not repeat a form within nine questions', async () => {
    const { whole } = await answers();
    const messages: object[] = [];
    const forms = new Set<string>();
    for (let number = 1; number <= 9; number++) {
      messages.push({ role: 'user', content: `Subject ${number}` });
      const text = await whole({ model: 'stand-in', messages });
      const lineKinds = text.split('\n').map((line) => /^ *(#+|\||-|\d\.|>|```\w*)/.exec(line)?.[1] ?? '');
      forms.add(lineKinds.join(' '));
    }
    expect(forms.size).toBe(9);
  });

  it.each([
    ['What is a monad?', 'monad'],
    ['Could you please explain the Krebs cycle to me?', 'the Krebs cycle'],
    ['How do I make bread?', 'make bread'],
    ['Tell me a story about rain', 'rain'],
    ['Hello, tell me about Oslo!', 'Oslo'],
    ['Why is the sky blue?', 'Why is the sky blue'],
    ['please help', 'please help'],
  ])('take the subject of %j to be %j', async (question, subject) => {
    const { whole } = await answers();
    expect(JSON.parse(await whole(ask(question, { format: 'json' })))).toMatchObject({ subject });
  });

  it('do as the question wishes', async () => {
    const { whole } = await answers();
    expect(await whole(ask('Compare tea and coffee'))).toMatch(/^\|.*\|$/m);
    expect(await whole(ask('Show me some Python'))).toContain('```python');
    expect(await whole(ask('Hello!'))).toMatch(/^Hello/);
  });

  it('say how many images came, and that nobody looked', async () => {
    const { whole } = await answers();
    const messages = [{ role: 'user', content: 'What is this?', images: ['AAAA', 'BBBB'] }];
    expect(await whole({ model: 'stand-in-vision', messages })).toMatch(/2 pictures[\s\S]*not look/);
  });

  it('are JSON when JSON was asked for', async () => {
    const { whole, post } = await answers();
    expect(JSON.parse(await whole(ask('tea', { format: 'json' })))).toMatchObject({ subject: 'tea' });
    const schema = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        kind: { enum: ['hot', 'cold'] },
        cups: { type: 'integer', minimum: 2 },
        sorts: { type: 'array', items: { $ref: '#/$defs/sort' }, minItems: 2 },
      },
      $defs: { sort: { type: 'object', properties: { good: { type: 'boolean' } } } },
    };
    expect(JSON.parse(await whole(ask('tea', { format: schema })))).toEqual({
      name: 'tea',
      kind: 'hot',
      cups: 2,
      sorts: [{ good: false }, { good: false }],
    });
    const bad = await post('/api/chat', ask('tea', { format: 'xml' }));
    expect([bad.status, await bad.text()]).toEqual([
      500,
      String.raw`{"error":"invalid format: \"xml\"; expected \"json\" or a valid JSON Schema object"}`,
    ]);
  });

  it('embeddings of texts that share words are near each other', async () => {
    const { post } = await answers();
    const input = ['the quick brown fox', 'a quick brown dog', 'invoices of last March'];
    const response = await post('/api/embed', { model: 'stand-in-embed', input });
    const { embeddings } = (await jsonOf(response)) as unknown as {
      embeddings: [number[], number[], number[]];
    };
    const near = (a: number[], b: number[]) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
    const [fox, dog, invoices] = embeddings;
    expect(near(fox, dog)).toBeGreaterThan(0.4);
    expect(Math.abs(near(fox, invoices))).toBeLessThan(0.3);
  });
});
