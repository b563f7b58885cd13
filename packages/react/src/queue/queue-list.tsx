import type { QueuedTurn, QueuePause } from '@ziggie/llm-client/conversation';
import { type ReactElement, useState } from 'react';
import { type QueueView, useQueue } from '../hooks/use-queue.ts';
import { CloseIcon, PlusIcon, UpIcon } from '../icons/action-icons.tsx';
import { ChevronDownIcon } from '../icons/icons.tsx';
import { type Text, useText } from '../text/text-context.ts';
import { QueuedEdit } from './queued-edit.tsx';

/** What waits to be sent: in sight, editable, in the reader's order. */
export function QueueList(): ReactElement | null {
  const { strings } = useText();
  const queue = useQueue();
  const { items, paused } = queue;
  const [editing, setEditing] = useState<{ id: string; held: boolean } | null>(null);
  if (items.length === 0) return null;
  const startEdit = (id: string) => {
    // It must not go while its words are being changed.
    const held = paused === null;
    if (held) queue.pause();
    setEditing({ id, held });
  };
  const endEdit = () => {
    if (editing?.held) queue.resume();
    setEditing(null);
  };
  const pausedWords = paused === null || editing !== null ? null : wordsOfPause(paused, strings);
  return (
    <section className="zg-queue" aria-label={strings.queueTitle}>
      {pausedWords === null ? null : (
        <p className="zg-queue-paused">
          <span>{pausedWords}</span>
          <button type="button" className="zg-button-text" onClick={queue.resume}>
            {strings.queueResume}
          </button>
        </p>
      )}
      <ol>
        {items.map((turn, index) => (
          <li key={turn.id}>
            {editing?.id === turn.id ? (
              <QueuedEdit turn={turn} onSave={(text) => queue.edit(turn.id, text)} onClose={endEdit} />
            ) : (
              <QueuedRow turn={turn} index={index} queue={queue} onEdit={() => startEdit(turn.id)} />
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

interface QueuedRowProps {
  turn: QueuedTurn;
  index: number;
  queue: QueueView;
  onEdit: () => void;
}

function QueuedRow({ turn, index, queue, onEdit }: QueuedRowProps): ReactElement {
  const { strings, format } = useText();
  const count = queue.items.length;
  const files = turn.attachments?.length ?? 0;
  const filesWords = files === 0 ? '' : strings.queueFiles(files, format.count(files));
  const name = turn.text === '' ? filesWords : turn.text.slice(0, 80);
  return (
    <div className="zg-queued">
      <PlusIcon />
      <span className="zg-queued-text">
        {index === 0 ? `${strings.queueNext} ` : null}
        <b dir="auto">{turn.text === '' ? filesWords : turn.text}</b>
        {turn.text === '' || files === 0 ? null : ` ${filesWords}`}
      </span>
      {count < 2 ? null : (
        <>
          <button
            type="button"
            className="zg-icon-button"
            aria-label={strings.queueUp(name)}
            aria-disabled={index === 0}
            onClick={() => queue.move(turn.id, index - 1)}
          >
            <UpIcon />
          </button>
          <button
            type="button"
            className="zg-icon-button"
            aria-label={strings.queueDown(name)}
            aria-disabled={index === count - 1}
            onClick={() => queue.move(turn.id, index + 1)}
          >
            <ChevronDownIcon />
          </button>
        </>
      )}
      <button type="button" className="zg-button-quiet" onClick={onEdit}>
        {strings.queueEdit}
      </button>
      <button
        type="button"
        className="zg-icon-button"
        aria-label={strings.queueRemove(name)}
        onClick={() => queue.remove(turn.id)}
      >
        <CloseIcon />
      </button>
    </div>
  );
}

function wordsOfPause(pause: QueuePause, strings: Text['strings']): string | null {
  switch (pause) {
    case 'stopped':
      return strings.queueStopped;
    case 'failed':
      return strings.queueFailed;
    case 'held':
      return strings.queueHeld;
    case 'reloaded':
      return strings.queueReloaded;
    case 'offline':
      // The bar above says it.
      return null;
  }
}
