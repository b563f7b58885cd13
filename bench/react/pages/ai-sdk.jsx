import { useChat } from '@ai-sdk/react';
import { memo } from 'react';
import { createRoot } from 'react-dom/client';
import { Streamdown } from 'streamdown';
import { expose, source } from './texts.js';

/** As ai-elements' `MessageResponse` is: a streamdown that renders when its text changes. */
const MessageResponse = memo(
  (props) => <Streamdown {...props} />,
  (before, after) => before.children === after.children,
);

const transport = {
  async sendMessages() {
    return new ReadableStream({
      async start(controller) {
        controller.enqueue({ type: 'start' });
        controller.enqueue({ type: 'text-start', id: 'text' });
        for await (const delta of source()) {
          controller.enqueue({ type: 'text-delta', id: 'text', delta });
        }
        controller.enqueue({ type: 'text-end', id: 'text' });
        controller.enqueue({ type: 'finish' });
        controller.close();
      },
    });
  },
  reconnectToStream: async () => null,
};

let send;
function Page({ history }) {
  const { messages, sendMessage } = useChat({ transport, messages: history });
  send = sendMessage;
  return (
    <div className="log">
      {messages.map((message) => (
        <div key={message.id} data-role={message.role}>
          {message.parts.map((part, at) =>
            // biome-ignore lint/suspicious/noArrayIndexKey: as in the peer's own example
            part.type === 'text' ? <MessageResponse key={at}>{part.text}</MessageResponse> : null,
          )}
        </div>
      ))}
    </div>
  );
}

expose({
  mount(host, history) {
    const messages = history.map(({ role, text }, at) => ({
      id: `m${at}`,
      role,
      parts: [{ type: 'text', text }],
    }));
    createRoot(host).render(<Page history={messages} />);
  },
  ask: () => send({ text: 'Go on.' }),
});
