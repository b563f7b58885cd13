import type { ZiggieClient } from '@ziggie/llm-client';
import type { Cell } from '@ziggie/llm-client/conversation';
import type { ModelInfo } from '@ziggie/llm-protocol';
import { type ReactElement, useEffect, useId, useRef, useState } from 'react';
import { useAnnounce } from '../announce/announce-context.ts';
import { useCell } from '../hooks/use-cell.ts';
import { CloseIcon } from '../icons/action-icons.tsx';
import { useSession } from '../provider/session.ts';
import { useMoreText } from '../text/use-more-text.ts';
import { jobsOf, type ModelJobs, type PullJob } from './model-jobs.ts';

export interface ModelAdminProps {
  picked: ModelInfo | undefined;
}

/** Brings models to the server and in and out of its memory. Nothing where the server refused. */
export function ModelAdmin({ picked }: ModelAdminProps): ReactElement | null {
  const { client: source, models } = useSession();
  const client = useCell(source ?? noClient);
  return client === null ? null : <Jobs client={client} jobs={jobsOf(client, models)} picked={picked} />;
}

const noClient: Cell<null> = { get: () => null, subscribe: () => () => {} };

interface JobsProps extends ModelAdminProps {
  client: ZiggieClient;
  jobs: ModelJobs;
}

function Jobs({ jobs, picked }: JobsProps): ReactElement | null {
  const { strings } = useMoreText();
  const { isAllowed, pulls, memory } = useCell(jobs);
  const announce = useAnnounce();
  const [name, setName] = useState('');
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const done = pulls.filter(({ state }) => state === 'done').length;
  const before = useRef(done);
  useEffect(() => {
    if (done > before.current) announce(strings.pullDone);
    before.current = done;
  }, [done, announce, strings]);
  useEffect(() => {
    // The button that was refused is gone; the focus stays in the picker.
    if (!isAllowed) box.current?.focus();
  }, [isAllowed]);
  if (!isAllowed) {
    return (
      <div ref={box} className="zg-model-admin" tabIndex={-1}>
        <p role="status">{strings.modelsNotAllowed}</p>
      </div>
    );
  }
  const doing = picked === undefined ? undefined : memory.get(picked.name);
  const isBusy = doing === 'loading' || doing === 'unloading';
  return (
    <div ref={box} className="zg-model-admin" tabIndex={-1}>
      {picked === undefined ? null : (
        <div className="zg-model-row">
          <span className="zg-model-row-text" role="status">
            {doing === undefined ? picked.name : strings.memoryStates[doing](picked.name)}
          </span>
          <button
            type="button"
            className="zg-button-plain"
            aria-disabled={isBusy}
            onClick={() => {
              if (isBusy) return;
              void (picked.loaded === null ? jobs.load(picked.name) : jobs.unload(picked.name));
            }}
          >
            {picked.loaded === null ? strings.modelLoad : strings.modelUnload}
          </button>
        </div>
      )}
      {pulls.map((job) => (
        <PullRow key={job.model} job={job} jobs={jobs} />
      ))}
      <form
        className="zg-model-row"
        onSubmit={(event) => {
          event.preventDefault();
          event.stopPropagation();
          if (name.trim() === '') return;
          void jobs.pull(name.trim());
          setName('');
        }}
      >
        <label className="zg-sr" htmlFor={id}>
          {strings.pullName}
        </label>
        <input
          id={id}
          className="zg-input"
          value={name}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={200}
          placeholder={strings.pullName}
          onChange={(event) => setName(event.target.value)}
        />
        <button type="submit" className="zg-button-plain" aria-disabled={name.trim() === ''}>
          {strings.pull}
        </button>
      </form>
    </div>
  );
}

function PullRow({ job, jobs }: { job: PullJob; jobs: ModelJobs }): ReactElement {
  const { strings, format } = useMoreText();
  const { model, state, progress } = job;
  const words = () => {
    if (state !== 'running') return strings.pullStates[state];
    if (progress === null || progress.totalBytes === 0) return strings.pullBegins;
    if (progress.phase === 'finishing') return strings.pullEnds;
    const { completedBytes, totalBytes, etaMs } = progress;
    const amount = strings.pullAmount(format.bytes(completedBytes), format.bytes(totalBytes));
    return etaMs === null ? amount : `${amount}, ${strings.queuedEta(format.duration(etaMs))}`;
  };
  return (
    <div className="zg-model-pull">
      <div className="zg-model-row">
        <span className="zg-model-row-text">
          <b>{model}</b> <span className="zg-option-detail">{words()}</span>
        </span>
        {state === 'running' ? (
          <button type="button" className="zg-button-text" onClick={() => jobs.cancel(model)}>
            {strings.cancel}
          </button>
        ) : (
          <>
            {state === 'done' ? null : (
              <button type="button" className="zg-button-text" onClick={() => void jobs.pull(model)}>
                {strings.pullAgain}
              </button>
            )}
            <button
              type="button"
              className="zg-icon-button"
              aria-label={strings.pullDismiss(model)}
              onClick={() => jobs.dismiss(model)}
            >
              <CloseIcon />
            </button>
          </>
        )}
      </div>
      {state === 'running' ? (
        <progress
          className="zg-bar"
          max={1}
          value={progress?.fraction ?? undefined}
          aria-label={strings.pullProgress(model)}
        />
      ) : null}
    </div>
  );
}
