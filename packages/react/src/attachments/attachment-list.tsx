import type { Attachment } from '@ziggie/llm-client/conversation';
import type { ReactElement } from 'react';
import { FileIcon } from '../icons/action-icons.tsx';
import { useText } from '../text/text-context.ts';

/** What went along with a message. Images are shown from the data that was sent, so nothing is loaded. */
export function AttachmentList({ attachments }: { attachments: readonly Attachment[] }): ReactElement {
  const { strings } = useText();
  return (
    <ul className="zg-attachments" aria-label={strings.attachments}>
      {attachments.map((attachment, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they never change
        <li key={index}>
          {attachment.kind === 'image' ? (
            <AttachedImage attachment={attachment} />
          ) : (
            <span className="zg-file">
              <FileIcon />
              <span className="zg-file-name">{attachment.name}</span>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

const imageTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/bmp'];

/** Only types that hold pixels: an import may say anything. */
export function AttachedImage({
  attachment: { data, mediaType, name },
}: {
  attachment: Extract<Attachment, { kind: 'image' }>;
}): ReactElement {
  const { strings } = useText();
  const type = imageTypes.includes(mediaType) ? mediaType : 'image/png';
  return <img className="zg-thumb" src={`data:${type};base64,${data}`} alt={name ?? strings.imageHere} />;
}
