import type { ReactElement } from 'react';
import type { PendingAttachment } from '../composer/composer-store.ts';
import type { ComposerView } from '../composer/use-composer.ts';
import { useModels } from '../hooks/use-models.ts';
import { CloseIcon, FileIcon } from '../icons/action-icons.tsx';
import { RingIcon } from '../icons/icons.tsx';
import { type Text, useText } from '../text/text-context.ts';
import { AttachedImage } from './attachment-list.tsx';
import type { DraftProblem } from './find-problems.ts';

/** The files of a draft, and what keeps them from the model. */
export function DraftFiles({ composer }: { composer: ComposerView }): ReactElement {
  const text = useText();
  const { strings } = text;
  const { current } = useModels();
  const { attachments, problems, removeAttachments, mend } = composer;
  const model = current ?? strings.model;
  return (
    <div className="zg-tray">
      {attachments.length === 0 ? null : (
        <ul className="zg-attachments" aria-label={strings.attachments}>
          {attachments.map((one) => (
            <li key={one.id} className="zg-pending" data-state={one.state}>
              <Preview pending={one} />
              <span className="zg-file-name">{one.name}</span>
              {one.state === 'ready' ? null : <span className="zg-file-state">{stateWords(one, text)}</span>}
              <button
                type="button"
                className="zg-icon-button"
                aria-label={strings.attachRemove(one.name)}
                onClick={() => removeAttachments([one.id])}
              >
                <CloseIcon />
              </button>
            </li>
          ))}
        </ul>
      )}
      {problems.map((problem) => (
        <p key={problem.kind} className="zg-problem" role="status">
          <span>{wordsFor(problem, model, text)}</span>
          {problem.mendBy === null ? null : (
            <button type="button" className="zg-button-text" onClick={() => mend(problem)}>
              {'model' in problem.mendBy ? strings.problemUse(problem.mendBy.model) : strings.problemRemove}
            </button>
          )}
        </p>
      ))}
    </div>
  );
}

function wordsFor(problem: DraftProblem, model: string, { strings, format }: Text): string {
  const tokens = format.count(problem.tokens ?? 0);
  const context = format.count(problem.contextTokens ?? 0);
  if (problem.kind === 'no-vision') return strings.problemVision(model);
  if (problem.kind === 'no-tools') return strings.problemTools(model);
  return problem.kind === 'too-long'
    ? strings.problemLength(model, tokens, context)
    : strings.problemText(model, tokens, context);
}

function Preview({ pending }: { pending: PendingAttachment }): ReactElement {
  if (pending.state === 'reading') return <RingIcon />;
  const { attachment } = pending;
  return attachment?.kind === 'image' ? <AttachedImage attachment={attachment} /> : <FileIcon />;
}

function stateWords({ state, reason }: PendingAttachment, { strings }: Text): string {
  if (state === 'reading') return strings.attachReading;
  if (reason === 'too-many') return strings.attachTooMany;
  return reason === 'too-large' ? strings.attachTooLarge : strings.attachUnreadable;
}
