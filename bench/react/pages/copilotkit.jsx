import { AbstractAgent } from '@ag-ui/client';
import { CopilotChat, CopilotKitProvider, useAgent, useCopilotKit } from '@copilotkit/react-core/v2';
import { createRoot } from 'react-dom/client';
import { Observable } from 'rxjs';
import { expose, painted, source } from './texts.js';

class BenchAgent extends AbstractAgent {
  clone() {
    return this;
  }
  run({ threadId, runId }) {
    return new Observable((observer) => {
      void (async () => {
        const messageId = `answer-${runId}`;
        observer.next({ type: 'RUN_STARTED', threadId, runId });
        observer.next({ type: 'TEXT_MESSAGE_START', messageId, role: 'assistant' });
        for await (const delta of source()) {
          observer.next({ type: 'TEXT_MESSAGE_CONTENT', messageId, delta });
        }
        observer.next({ type: 'TEXT_MESSAGE_END', messageId });
        observer.next({ type: 'RUN_FINISHED', threadId, runId });
        observer.complete();
      })();
    });
  }
}

const agent = new BenchAgent({ agentId: 'default' });
let run;
function Page() {
  const { copilotkit } = useCopilotKit();
  useAgent({ agentId: 'default' });
  run = () => copilotkit.runAgent({ agent });
  return <CopilotChat agentId="default" />;
}

expose({
  async mount(host, history) {
    createRoot(host).render(
      <CopilotKitProvider agents__unsafe_dev_only={{ default: agent }} selfManagedAgents={{ default: agent }}>
        <Page />
      </CopilotKitProvider>,
    );
    // The chat empties its agent when it begins its thread: what was said before can come only after that.
    while (!host.textContent.includes('How can I help you')) await painted();
    agent.setMessages(history.map(({ role, text }, at) => ({ id: `m${at}`, role, content: text })));
  },
  async ask() {
    agent.addMessage({ id: `ask-${performance.now()}`, role: 'user', content: 'Go on.' });
    await run();
  },
});
