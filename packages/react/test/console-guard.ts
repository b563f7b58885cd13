import { afterEach, beforeEach, expect, vi } from 'vitest';

/** Fails a test during which React, or anybody else, complained. */
export function failOnConsoleErrors(): void {
  beforeEach(() => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.spyOn(console, 'warn').mockImplementation(() => {});
  });
  afterEach(() => {
    const said = [...vi.mocked(console.error).mock.calls, ...vi.mocked(console.warn).mock.calls];
    vi.restoreAllMocks();
    expect(said.map((parts) => parts.map(String).join(' '))).toEqual([]);
  });
}
