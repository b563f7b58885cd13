import { type DragEvent, useState } from 'react';
import type { AttachmentRules } from '../attachments/attachment-rules.ts';
import { useSession } from '../provider/session.ts';

interface FileDrop {
  /** Files are being dragged over the chat. */
  readonly isOver: boolean;
  readonly handlers: {
    onDragEnter?: (event: DragEvent) => void;
    onDragOver?: (event: DragEvent) => void;
    onDragLeave?: (event: DragEvent) => void;
    onDrop?: (event: DragEvent) => void;
  };
}

/** Takes files that are dropped anywhere on the chat. Text and links that are dragged are nobody's business. */
export function useFileDrop(rules: AttachmentRules | null): FileDrop {
  const { conversation, composers } = useSession();
  const [isOver, setIsOver] = useState(false);
  if (rules === null) return { isOver: false, handlers: {} };
  const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files');
  return {
    isOver,
    handlers: {
      onDragEnter: (event) => {
        if (hasFiles(event)) setIsOver(true);
      },
      onDragOver: (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = 'copy';
      },
      onDragLeave: ({ currentTarget, relatedTarget }) => {
        if (!(relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) setIsOver(false);
      },
      onDrop: (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setIsOver(false);
        void composers.get(conversation.id).addFiles([...event.dataTransfer.files], rules);
      },
    },
  };
}
