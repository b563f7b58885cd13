import { createManualClock, say } from '@ziggie/llm-testing';
import { Profiler, type ReactElement, StrictMode } from 'react';
import { describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, recordOf } from '../../test/test-chat.ts';
import { longAnswer } from '../../test/texts.ts';
import { MessageRow } from '../messages/message-row.tsx';
import { ZiggieProvider } from '../provider/ziggie-provider.tsx';
import { useChat } from './use-chat.ts';
import { useMessage, useMessageIds } from './use-messages.ts';
import { useModels } from './use-models.ts';

failOnConsoleErrors();

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

const renders = { list: 0, actions: 0, length: 0, rows: new Map<string, number>() };

function reset(): void {
  Object.assign(renders, { list: 0, actions: 0, length: 0, rows: new Map<string, number>() });
}

function List(): ReactElement {
  renders.list += 1;
  const count = (id: string) => renders.rows.set(id, (renders.rows.get(id) ?? 0) + 1);
  return (
    <>
      {useMessageIds().map((id) => (
        <Profiler key={id} id={id} onRender={count}>
          <MessageRow id={id} />
        </Profiler>
      ))}
    </>
  );
}

function Actions(): null {
  useChat();
  renders.actions += 1;
  return null;
}

/** Each answer's menu names other models: their list renders the rows once, when it is there. */
function Models(): ReactElement {
  return <p>Models: {useModels().status}</p>;
}

function Selected(): null {
  useMessage('m1', (message) => message.text.length);
  renders.length += 1;
  return null;
}

function Last(): ReactElement {
  const id = useMessageIds().at(-1) ?? '';
  return <p>{useMessage(id)?.text.length}</p>;
}

describe('hooks', () => {
  it('render no old row, no list and no holder of actions while tokens arrive', async () => {
    const clock = createManualClock();
    const texts = Array.from({ length: 50 }, (_, index) =>
      index % 2 === 0 ? `Question ${index}` : longAnswer,
    );
    const { client, conversation } = createTestChat({
      clock,
      tokensPerSecond: 100,
      record: recordOf(texts),
      scripts: [[say('word '.repeat(1_000))]],
    });
    reset();
    const view = await render(
      <StrictMode>
        <ZiggieProvider client={client} conversation={conversation}>
          <List />
          <Actions />
          <Selected />
          <Models />
        </ZiggieProvider>
      </StrictMode>,
    );
    await expect.poll(() => conversation.storageState.get()).toBe('ready');
    await expect.element(page.getByText('Models: ready')).toBeInTheDocument();
    const turn = conversation.send('Now');
    // That an answer runs is seen in every row, once. Its first words on the page come after that.
    await expect
      .poll(async () => {
        await clock.advance(50);
        return view.container.textContent?.includes('word word');
      })
      .toBe(true);

    reset();
    for (let step = 0; step < 30; step += 1) {
      await clock.advance(50);
      await frame();
    }
    const running = conversation.runningId.get() ?? '';
    expect([...renders.rows.keys()]).toEqual([running]);
    expect(renders.rows.get(running)).toBeGreaterThan(10);
    expect(renders).toMatchObject({ list: 0, actions: 0, length: 0 });
    conversation.stop();
    await turn;
    conversation.dispose();
  });

  it('take 5,000 pieces in one task without exceeding the update depth', async () => {
    const { client, conversation } = createTestChat({ scripts: [[say('x '.repeat(5_000))]] });
    const view = await render(
      <StrictMode>
        <ZiggieProvider client={client} conversation={conversation}>
          <Last />
        </ZiggieProvider>
      </StrictMode>,
    );
    await conversation.send('Go');
    await expect.element(view.getByText('10000')).toBeInTheDocument();
    conversation.dispose();
  });
});
