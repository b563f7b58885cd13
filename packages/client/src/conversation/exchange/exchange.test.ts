import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fullRecord } from '../../../test/conversation/storage.contract.ts';
import { parseRecord } from '../record.ts';
import { exportJson, exportMarkdown } from './export.ts';
import { importConversations } from './import.ts';

const texts = (json: unknown) => importConversations(JSON.stringify(json));

/** What is read must be a record that can be saved, whatever the file held. */
function expectSound(result: ReturnType<typeof importConversations>): void {
  for (const record of result.conversations) {
    expect(parseRecord(JSON.parse(JSON.stringify(record)), record.id)).toEqual(record);
  }
}

describe('exportJson() and importConversations()', () => {
  it('export, import, export gives the same text, every branch and member of it', () => {
    const records = [fullRecord('one'), fullRecord('two')];
    const text = exportJson(records);
    const read = importConversations(`\ufeff${text}`);
    expect(read).toEqual({ format: 'ziggie', conversations: records, problems: [] });
    expect(exportJson(read.conversations)).toBe(text);
  });

  it('a broken conversation costs only itself, and its words are not in the message', () => {
    const broken = { ...fullRecord('two'), title: 7, model: 'canary' };
    const { conversations, problems } = texts({
      format: 'ziggie-conversations',
      version: 1,
      conversations: [fullRecord('one'), broken, 'canary'],
    });
    expect(conversations).toHaveLength(1);
    expect(problems.map(({ index }) => index)).toEqual([1, 2]);
    expect(JSON.stringify(problems)).not.toContain('canary');
  });

  it('says when it knows nothing of it, and when it is not JSON', () => {
    expect(texts([{ hello: 1 }])).toMatchObject({ format: null, problems: [{ index: 0 }] });
    expect(() => importConversations('# Chat')).toThrow(TypeError);
    expect(() => importConversations('['.repeat(5000) + ']'.repeat(5000))).toThrow(TypeError);
  });

  it('anything that is JSON gives sound records or none', () => {
    const node = fc.record(
      {
        id: fc.constantFrom('a', 'b', 7),
        parent: fc.constantFrom(null, 'a', 'b', 'c'),
        parentId: fc.constantFrom(null, 'a', 'b', 'c'),
        role: fc.constantFrom('user', 'assistant', 'tool'),
        content: fc.oneof(
          fc.string(),
          fc.constant('<details type="reasoning"><summary>x</summary>\n&gt; y</details>z'),
        ),
        timestamp: fc.jsonValue(),
        message: fc.record({ author: fc.record({ role: fc.constant('user') }), content: fc.jsonValue() }),
      },
      { requiredKeys: [] },
    );
    const tree = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), node);
    const item = fc.oneof(
      fc.record({ id: fc.constant('x'), mapping: tree, current_node: fc.jsonValue(), title: fc.jsonValue() }),
      fc.record({ id: fc.constant('x'), chat: fc.record({ history: fc.record({ messages: tree }) }) }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(item, { maxLength: 3 }), (items) => expectSound(texts(items))),
      { numRuns: 1500 },
    );
  });
});

describe('importConversations() of ChatGPT', () => {
  const said = (role: string, text: string, more = {}) => ({
    author: { role },
    create_time: 1_700_000_000.5,
    content: { content_type: 'text', parts: [text] },
    recipient: 'all',
    ...more,
  });
  const chat = {
    conversation_id: 'c1',
    title: 'Sky',
    create_time: 1_700_000_000,
    update_time: 1_700_000_900.25,
    current_node: 'a2',
    default_model_slug: 'gpt-5',
    is_archived: true,
    mapping: {
      root: { id: 'root', message: null, parent: null, children: ['sys'] },
      sys: { message: said('system', ''), parent: 'root' },
      hidden: {
        message: said('user', 'x', { metadata: { is_visually_hidden_from_conversation: true } }),
        parent: 'sys',
      },
      u1: { message: said('user', 'Why?'), parent: 'hidden' },
      think: {
        message: said('assistant', '', {
          content: { content_type: 'thoughts', thoughts: [{ summary: 's', content: 'Light scatters.' }] },
        }),
        parent: 'u1',
      },
      a1: { message: said('assistant', 'Rayleigh.', { metadata: { model_slug: 'o3' } }), parent: 'think' },
      call: { message: said('assistant', '{}', { recipient: 'web.run' }), parent: 'u1' },
      tool: { message: said('tool', 'result'), parent: 'call' },
      a2: { message: said('assistant', 'Because.'), parent: 'tool' },
      u2: {
        message: said('user', '', {
          content: {
            content_type: 'multimodal_text',
            parts: [{ content_type: 'image_asset_pointer', asset_pointer: 'file-service://x' }, 'And this?'],
          },
        }),
        parent: 'a2',
      },
    },
  };

  it('brings what people see there, with all branches, thinking and models', () => {
    const result = texts([chat]);
    expectSound(result);
    expect(result.format).toBe('chatgpt');
    const [record] = result.conversations;
    expect(record).toMatchObject({
      id: 'c1',
      title: 'Sky',
      model: 'gpt-5',
      archived: true,
      head: 'a2',
      updatedAt: 1_700_000_900_250,
    });
    expect(record?.nodes.map(({ id, parentId, text, thinking }) => [id, parentId, text, thinking])).toEqual([
      ['u1', null, 'Why?', ''],
      ['a1', 'u1', 'Rayleigh.', 'Light scatters.'],
      ['a2', 'u1', 'Because.', ''],
      ['u2', 'a2', 'And this?', ''],
    ]);
    expect(record?.nodes[1]).toMatchObject({ model: 'o3', createdAt: 1_700_000_000_500 });
  });

  it('a conversation of 20,000 messages in one line does not exhaust the stack', () => {
    const mapping: Record<string, unknown> = {};
    for (let index = 20_000; index > 0; index--) {
      mapping[`n${index}`] = {
        message: said('user', `${index}`),
        parent: index === 1 ? null : `n${index - 1}`,
      };
    }
    const { conversations } = texts([{ ...chat, mapping, current_node: 'n20000' }]);
    expect(conversations[0]?.nodes).toHaveLength(20_000);
    expect(conversations[0]?.head).toBe('n20000');
  });
});

describe('importConversations() of Open WebUI', () => {
  const chat = {
    id: 'w1',
    title: 'Sky',
    updated_at: 1_700_000_900,
    pinned: true,
    chat: {
      models: ['llama3.2:latest'],
      history: {
        currentId: 'a1',
        messages: {
          a1: {
            id: 'a1',
            parentId: 'u1',
            role: 'assistant',
            model: 'llama3.2:latest',
            timestamp: 1_700_000_100,
            content:
              '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n&gt; Is 1 &lt; 2?\n&gt; Yes.\n</details>\nBecause.',
          },
          u1: {
            id: 'u1',
            parentId: null,
            role: 'user',
            content: 'Why?',
            timestamp: 1_700_000_000,
            files: [
              { type: 'image', url: 'data:image/png;base64,AAAA' },
              { type: 'image', url: 'https://example.org/x.png' },
            ],
          },
        },
      },
    },
  };

  it('brings branches, thinking out of its fold, and images that are in the file', () => {
    const result = texts([chat]);
    expectSound(result);
    expect(result).toMatchObject({ format: 'open-webui', problems: [] });
    expect(result.conversations[0]).toMatchObject({
      id: 'w1',
      pinned: true,
      model: 'llama3.2:latest',
      head: 'a1',
      nodes: [
        { id: 'u1', attachments: [{ kind: 'image', mediaType: 'image/png', data: 'AAAA' }] },
        { id: 'a1', text: 'Because.', thinking: 'Is 1 < 2?\nYes.', createdAt: 1_700_000_100_000 },
      ],
    });
    expect(result.conversations[0]?.nodes[0]?.attachments).toHaveLength(1);
  });

  it('reads an old export, a plain list of messages', () => {
    const messages = [
      { role: 'user', content: 'Why?' },
      { role: 'assistant', content: 'Because.' },
    ];
    const { conversations } = texts({ id: 'w2', chat: { title: 'Old', messages } });
    expect(conversations[0]?.nodes.map(({ parentId, text }) => [parentId, text])).toEqual([
      [null, 'Why?'],
      ['0', 'Because.'],
    ]);
  });
});

it('exportMarkdown() writes the shown branch, with as much as is asked for', () => {
  const record = fullRecord('one');
  expect(exportMarkdown(record)).toBe(
    [
      '# A "title" with ü, 語 and \u{1f600}',
      '## You',
      '*Image: a.png*',
      '*File: a.txt*',
      '````\n```\n````',
      'Hello\n\u0000',
      '## m:latest',
      'Hi',
      '- Sky <https://example.org/>',
      '',
    ]
      .join('\n\n')
      .replace(/\n\n$/, '\n'),
  );
  const full = exportMarkdown(record, { thinking: true, tools: true, userName: 'Ada' });
  expect(full).toContain('## Ada\n');
  expect(full).toContain('> Hm.');
  expect(full).toContain('*Tool: weather*');
  expect(full).toContain('```\n12 °C\n```');
});
