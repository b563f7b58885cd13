import { renderToString } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { longAnswer } from '../../test/texts.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { ZiggieProvider } from '../provider/ziggie-provider.tsx';
import { ZiggieChat } from './ziggie-chat.tsx';

failOnConsoleErrors();

describe('on a server', () => {
  it('renders the empty chat without a page', () => {
    expect(typeof document).toBe('undefined');
    const html = renderToString(
      <ZiggieProvider endpoint="http://llm.test" model="stand-in">
        <ZiggieChat starters={['Hello']} />
      </ZiggieProvider>,
    );
    expect(html).toContain('aria-label="Chat"');
    expect(html).toContain('stand-in');
  });

  it('renders with an endpoint that only a page can make an address of', () => {
    expect(renderToString(<ZiggieChat endpoint="/api/llm" model="stand-in" />)).toContain('stand-in');
  });

  it('renders a chat that stands alone, whose storage is the browser', () => {
    expect(renderToString(<ZiggieChat endpoint="http://llm.test" userId="ada" />)).toContain('<textarea');
  });

  it('needs no inline style, so a strict Content-Security-Policy holds', () => {
    const html = renderToString(<Markdown text={longAnswer} />);
    expect(html).toContain('<table>');
    expect(html).toContain('data-align="right"');
    expect(html).not.toMatch(/\sstyle=|<script|<style|\son\w+=/);
  });

  it('says what is missing when there is no server to ask', () => {
    expect(() => renderToString(<ZiggieProvider />)).toThrow(/client, an endpoint or a conversation/);
    expect(() => renderToString(<ZiggieChat />)).toThrow(/client, an endpoint or a conversation/);
  });
});
