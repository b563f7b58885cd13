import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { render } from 'vitest-browser-react';
import { StreamingText } from './streaming-text.tsx';

describe('StreamingText', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('shows whole words, and half a word 100 ms later', async () => {
    const page = await render(<StreamingText text="One two th" />);
    expect(page.container.textContent).toBe('One two ');
    await page.rerender(<StreamingText text="One two thre" />);
    expect(page.container.textContent).toBe('One two ');
    vi.advanceTimersByTime(100);
    await vi.waitFor(() => expect(page.container.textContent).toBe('One two thre'));
    await page.rerender(<StreamingText text="One two threefold" />);
    vi.advanceTimersByTime(100);
    await vi.waitFor(() => expect(page.container.textContent).toBe('One two threefold'));
  });

  it('shows everything once it is over, and scripts without spaces as they come', async () => {
    const page = await render(<StreamingText text="One tw" streaming={false} />);
    expect(page.container.textContent).toBe('One tw');
    await page.rerender(<StreamingText text="これは" />);
    expect(page.container.textContent).toBe('これは');
  });
});
