import {
  AssistantRuntimeProvider,
  MessagePrimitive,
  ThreadPrimitive,
  useLocalRuntime,
} from '@assistant-ui/react';
import { MarkdownTextPrimitive } from '@assistant-ui/react-markdown';
import { createRoot } from 'react-dom/client';
import remarkGfm from 'remark-gfm';
import { expose, source } from './texts.js';

let finish;
const adapter = {
  async *run() {
    let text = '';
    for await (const token of source()) {
      text += token;
      yield { content: [{ type: 'text', text }] };
    }
    setTimeout(finish);
  },
};

const plugins = [remarkGfm];
const Text = () => <MarkdownTextPrimitive remarkPlugins={plugins} />;
const Message = () => (
  <MessagePrimitive.Root>
    <MessagePrimitive.Parts components={{ Text }} />
  </MessagePrimitive.Root>
);

let runtime;
function Page({ history }) {
  runtime = useLocalRuntime(adapter, { initialMessages: history });
  return (
    <AssistantRuntimeProvider runtime={runtime}>
      <ThreadPrimitive.Root>
        <ThreadPrimitive.Viewport className="log">
          <ThreadPrimitive.Messages components={{ Message }} />
        </ThreadPrimitive.Viewport>
      </ThreadPrimitive.Root>
    </AssistantRuntimeProvider>
  );
}

expose({
  mount(host, history) {
    const messages = history.map(({ role, text }, at) => ({
      id: `m${at}`,
      role,
      content: [{ type: 'text', text }],
    }));
    createRoot(host).render(<Page history={messages} />);
  },
  ask: () =>
    new Promise((resolve) => {
      finish = resolve;
      runtime.thread.append({ role: 'user', content: [{ type: 'text', text: 'Go on.' }] });
    }),
});
