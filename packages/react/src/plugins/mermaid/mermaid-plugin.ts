import mermaid from 'mermaid';
import type { DiagramPlugin } from '../plugin-types.ts';

let drawn = 0;
let queue: Promise<unknown> = Promise.resolve();

/**
 * Draws Mermaid diagrams. Needs `mermaid` installed.
 *
 * Mermaid measures text in the page, with inline styles and through its own sanitizer: a page with a strict Content Security
 * Policy needs `style-src 'unsafe-inline'`, `img-src blob:` and, with Trusted Types, the policy name `dompurify` for it. Pages
 * that may not have those give a {@link DiagramPlugin} of their own that asks a server.
 */
export const mermaidPlugin: DiagramPlugin = {
  languages: ['mermaid'],
  render(source, scheme) {
    // One after the other: Mermaid keeps its settings and its measuring element for all.
    const job = queue.then(() => draw(source, scheme));
    queue = job.catch(() => {});
    return job;
  },
};

async function draw(source: string, scheme: 'light' | 'dark'): Promise<string> {
  mermaid.initialize({
    startOnLoad: false,
    // Labels are text and clicks do nothing.
    securityLevel: 'strict',
    htmlLabels: false,
    flowchart: { htmlLabels: false },
    suppressErrorRendering: true,
    theme: scheme === 'dark' ? 'dark' : 'neutral',
    maxTextSize: 20_000,
    maxEdges: 300,
  });
  drawn += 1;
  const { svg } = await mermaid.render(`zg-diagram-${drawn}`, source);
  return svg;
}
