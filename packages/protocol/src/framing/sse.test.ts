import { expect, it } from 'vitest';
import { encodeSse } from './sse.ts';

it('encodeSse() puts the number in the id and the event on one data line', () => {
  expect(encodeSse({ type: 'text-delta', text: 'a\nb', seq: 7 })).toBe(
    'id: 7\ndata: {"type":"text-delta","text":"a\\nb","seq":7}\n\n',
  );
});
