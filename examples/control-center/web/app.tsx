import { builtInTemplates } from '@ziggie/llm-client/templates';
import { webSocketTransport } from '@ziggie/llm-client/websocket';
import { type RichTextPlugins, ZiggieChat } from '@ziggie/llm-react';
import { SourceLine } from './source-line.tsx';
import { useAddress } from './use-address.ts';
import { useSource } from './use-source.ts';

const address = new URLSearchParams(location.search);

/** `?manage`: as somebody who manages the models, by the picker and by tools. */
const manages = address.has('manage');

async function visitorToken(): Promise<string> {
  const response = await fetch(`/demo/token${manages ? '?role=admin' : ''}`, { method: 'POST' });
  if (!response.ok) throw new Error(`The demo gave no token (HTTP ${response.status}).`);
  const { token } = (await response.json()) as { token: string };
  return token;
}

const starters = [
  'Explain how tokens stream to this page',
  'Compare two sorting algorithms in a table',
  'Write a SQL query for seats per tenant',
  'Plan a week of testing for a small team',
];

/** Fetched when the first answer needs them. */
const plugins: RichTextPlugins = {
  code: () => import('@ziggie/llm-react/plugins/code').then(({ codePlugin }) => codePlugin),
  math: () => import('@ziggie/llm-react/plugins/math').then(({ mathPlugin }) => mathPlugin),
};

/** `?transport=websocket`: all answers over one socket. */
const transport = address.get('transport') === 'websocket' ? webSocketTransport() : undefined;

// Visitors do not load what only administrators use.
const tools = manages ? (await import('./model-tools.ts')).modelTools(visitorToken) : undefined;

export function App() {
  const source = useSource();
  const shown = useAddress();
  return (
    <div className="page">
      <ZiggieChat
        className="page-chat"
        endpoint="/api/llm"
        credentials={visitorToken}
        transport={transport}
        userId={manages ? 'demo-admin' : 'demo-visitor'}
        layout="page"
        {...shown}
        starters={starters}
        templates={builtInTemplates}
        attachments
        tools={tools}
        manageModels={manages}
        plugins={plugins}
        footnote={<SourceLine source={source} />}
        autoFocus
      />
    </div>
  );
}
