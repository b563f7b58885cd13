import { useEffect } from 'react';
import { useLatest } from '../hooks/use-latest.ts';
import { useSession } from '../provider/session.ts';
import { describePhase } from '../status/describe-phase.ts';
import { useText } from '../text/text-context.ts';
import { useAnnounce } from './announce-context.ts';
import { announceEnd, MAX_PHASES, PHASE_WORTH_MS } from './turn-announcements.ts';

/** Speaks each turn's long phases and its end, without a render. */
export function useTurnAnnouncements(): void {
  const { conversation } = useSession();
  const announce = useAnnounce();
  const text = useLatest(useText());

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let kind: string | null = null;
    let spoken = 0;
    const onPhase = () => {
      const phase = conversation.phase.get();
      if (phase?.kind === kind) return;
      kind = phase?.kind ?? null;
      clearTimeout(timer);
      if (phase === null || spoken >= MAX_PHASES) return;
      timer = setTimeout(() => {
        const now = conversation.phase.get();
        if (now === null) return;
        spoken += 1;
        announce(describePhase(now, Date.now(), text.current).label);
      }, PHASE_WORTH_MS);
    };

    let running = conversation.runningId.get();
    const onRun = () => {
      const ended = running;
      running = conversation.runningId.get();
      if (ended === null || ended === running) return;
      spoken = 0;
      const message = conversation.message(ended).get();
      if (message !== undefined) announceEnd(message, announce, text.current);
    };

    onPhase();
    const stopPhase = conversation.phase.subscribe(onPhase);
    const stopRun = conversation.runningId.subscribe(onRun);
    return () => {
      stopPhase();
      stopRun();
      clearTimeout(timer);
    };
  }, [conversation, announce, text]);
}
