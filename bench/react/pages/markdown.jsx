import { createRoot } from 'react-dom/client';
import { Markdown } from '../../../packages/react/dist/index.js';
import { painted } from './texts.js';
import '../../../packages/react/dist/styles/styles.css';

const host = document.getElementById('root');
host.className = 'zg';

/** Shows a text whole, then as it grows, each until nothing more comes. */
globalThis.bench = {
  async show(text, pieces) {
    const errors = [];
    const begin = () => createRoot(host, { onUncaughtError: (error) => errors.push(String(error)) });
    const settled = async () => {
      for (let length = -1; length !== host.textContent.length; ) {
        length = host.textContent.length;
        await painted();
      }
    };
    let root = begin();
    root.render(<Markdown text={text} />);
    await settled();
    const shown = host.textContent.length;
    root.unmount();
    root = begin();
    for (let piece = 1; piece < pieces; piece += 1) {
      root.render(<Markdown text={text.slice(0, Math.floor((text.length * piece) / pieces))} streaming />);
      await painted();
    }
    root.render(<Markdown text={text} />);
    await settled();
    root.unmount();
    return { errors, shown };
  },
};
