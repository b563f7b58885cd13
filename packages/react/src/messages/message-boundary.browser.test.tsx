import type { ReactElement } from 'react';
import { expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { MessageBoundary } from './message-boundary.tsx';

function Broken(): ReactElement {
  throw new Error('this text cannot be rendered');
}

it('a message that fails to render is shown as the text it is, and its neighbours stay', async () => {
  // React reports the error it caught.
  const reported = vi.spyOn(console, 'error').mockImplementation(() => {});
  await render(
    <>
      <MessageBoundary text="before">
        <strong>the message before</strong>
      </MessageBoundary>
      <MessageBoundary text={'**bad** <b>text</b>\nof two lines'}>
        <Broken />
      </MessageBoundary>
      <MessageBoundary text="after">
        <em>the message after</em>
      </MessageBoundary>
    </>,
  );
  await expect
    .poll(() => document.querySelector('.zg-plain')?.textContent)
    .toBe('**bad** <b>text</b>\nof two lines');
  await expect.element(page.getByText('the message before')).toBeVisible();
  await expect.element(page.getByText('the message after')).toBeVisible();
  expect(reported).toHaveBeenCalled();
  reported.mockRestore();
});
