import { Component, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { expect, it, onTestFinished } from 'vitest';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { ZiggieProvider } from './ziggie-provider.tsx';

failOnConsoleErrors();

class Boundary extends Component<{ children: ReactNode }> {
  override state = { failed: false };
  static getDerivedStateFromError = () => ({ failed: true });
  override render(): ReactNode {
    return this.state.failed ? 'Failed' : this.props.children;
  }
}

it('a wrong endpoint is thrown by the provider, once the code that knows what is right is here', async () => {
  const caught: unknown[] = [];
  const root = createRoot(document.body.appendChild(document.createElement('div')), {
    onCaughtError: (error) => caught.push(error),
  });
  onTestFinished(() => root.unmount());
  root.render(
    <Boundary>
      <ZiggieProvider endpoint="ftp://llm.test" model="stand-in" />
    </Boundary>,
  );
  await expect.poll(() => caught).toEqual([expect.any(TypeError)]);
  expect(String(caught[0])).toMatch(/baseUrl.*ftp:/);
});
