import '@fontsource-variable/inter/wght.css';
import '@ziggie/llm-react/styles.css';
import '../../web/page.css';
import type { ConversationStorage } from '@ziggie/llm-client/conversation';
import { createMemoryStorage } from '@ziggie/llm-client/storage';
import { ZiggieChat } from '@ziggie/llm-react';
import { createRoot } from 'react-dom/client';

/** A server that never answers. */
const storage: ConversationStorage = { ...createMemoryStorage(), load: () => new Promise(() => {}) };

const root = document.getElementById('app');
if (root) {
  createRoot(root).render(
    <div className="page">
      <ZiggieChat
        className="page-chat"
        endpoint="/api/llm"
        credentials={async () =>
          ((await (await fetch('/demo/token', { method: 'POST' })).json()) as { token: string }).token
        }
        layout="page"
        storage={storage}
        attachments
      />
    </div>,
  );
}
