import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { expose, source } from './texts.js';

/** The floor: a list of paragraphs, plain text, a state that is set for each token. */
let setMessages;
function Page({ history }) {
  const [messages, set] = useState(history);
  setMessages = set;
  return (
    <div className="log">
      {messages.map(({ role, text }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: messages are only added
        <p key={at} data-role={role}>
          {text}
        </p>
      ))}
    </div>
  );
}

expose({
  mount: (host, history) => createRoot(host).render(<Page history={history} />),
  async ask() {
    setMessages((all) => [...all, { role: 'user', text: 'Go on.' }, { role: 'assistant', text: '' }]);
    for await (const token of source()) {
      setMessages((all) => [...all.slice(0, -1), { role: 'assistant', text: all.at(-1).text + token }]);
    }
  },
});
