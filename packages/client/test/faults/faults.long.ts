import { describe, test } from 'vitest';
import { check } from './check.ts';
import type { Wire } from './play.ts';

describe.each<Wire>(['NDJSON', 'SSE'])('over %s', (wire) => {
  test('F051 endless: tokens without end are cut at 64 MiB', () => check('F051', 'endless', wire));
});
