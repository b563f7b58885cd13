import type { RunPhase } from '@ziggie/llm-client/conversation';
import type { Text } from '../text/text-context.ts';

/** What the status line shows for a phase. */
export interface PhaseWords {
  icon: 'ring' | 'chip' | 'stop';
  /** What is being done. */
  label: string;
  /** Its numbers, more quietly; may be ''. */
  detail: string;
  /** How far a load probably is, from 0 to below 1; `null` when nothing is known. */
  progress: number | null;
  /** Whether nothing was written yet, so that leaving is a cancel. */
  canCancel: boolean;
  /** Whether a wait before the next try can be cut short. */
  canTryNow: boolean;
}

/** What is known of the run beyond its phase. */
export interface TokenCounts {
  /** Roughly what the model has to read. */
  readonly prompt?: number | undefined;
  /** Roughly what was written already. */
  readonly kept?: number | undefined;
}

/** Puts a phase into words. `now` is wall time in ms. */
export function describePhase(
  phase: RunPhase,
  now: number,
  { strings, format }: Text,
  counts: TokenCounts = {},
): PhaseWords {
  const words: PhaseWords = {
    icon: 'ring',
    label: '',
    detail: '',
    progress: null,
    canCancel: true,
    canTryNow: false,
  };
  const aboutTokens = (count = 0): string =>
    count < 1 ? '' : strings.tokensEstimated(strings.tokens(Math.round(count), format.count(count)));
  switch (phase.kind) {
    case 'queued': {
      const place = strings.ordinal(phase.position, format.count(phase.position));
      const label = phase.position <= 1 ? strings.queuedNext : strings.queued(place);
      const parts = phase.etaMs === null ? [] : [strings.queuedEta(format.duration(roundEta(phase.etaMs)))];
      // How long the line is says more than the place alone, for all but the last in it.
      if (phase.position > 1 && phase.of > phase.position)
        parts.push(strings.queuedOf(format.count(phase.of)));
      return { ...words, label, detail: parts.join(', ') };
    }
    case 'connecting':
      return { ...words, label: strings.connecting };
    case 'loading': {
      const elapsed = Math.max(0, now - phase.startedAt);
      const parts = [format.duration(wholeSeconds(elapsed))];
      if (phase.typicalMs !== null) parts.push(strings.loadingUsually(format.duration(phase.typicalMs)));
      return {
        ...words,
        icon: 'chip',
        label: strings.loading(phase.model),
        detail: parts.join(', '),
        progress: loadProgress(elapsed, phase.typicalMs),
      };
    }
    case 'reading': {
      const detail = aboutTokens(counts.prompt);
      return { ...words, label: detail === '' ? strings.reading : strings.readingTokens, detail };
    }
    case 'thinking':
      return { ...words, label: strings.thinking, detail: elapsedWords(phase.startedAt, now, format) };
    case 'tool':
      return { ...words, label: strings.tool(phase.name.replace(/[_-]+/g, ' ')), canCancel: false };
    case 'writing': {
      const parts: string[] = [];
      if (phase.tokensPerSecond !== null)
        parts.push(strings.tokensPerSecond(format.rate(phase.tokensPerSecond)));
      if (phase.tokens > 0) parts.push(strings.tokens(phase.tokens, format.count(phase.tokens)));
      return { ...words, label: strings.writing, detail: parts.join(', '), canCancel: false };
    }
    case 'reconnecting': {
      const { attempt, maxAttempts } = phase;
      const parts = [
        maxAttempts === null
          ? strings.tryNumber(format.count(attempt))
          : strings.tryOf(format.count(attempt), format.count(maxAttempts)),
      ];
      const kept = aboutTokens(counts.kept);
      if (kept !== '') parts.push(strings.tokensKept(kept));
      return {
        ...words,
        label: strings.reconnecting,
        detail: parts.join(', '),
        canCancel: false,
        canTryNow: phase.nextTryAt > now,
      };
    }
    case 'stopping':
      return { ...words, icon: 'stop', label: strings.stopping, canCancel: false };
  }
}

/** A wait in steps that do not promise more than is known: seconds to 20, then fives, then half minutes. */
export function roundEta(etaMs: number): number {
  const step = etaMs <= 20_000 ? 1_000 : etaMs <= 60_000 ? 5_000 : 30_000;
  return Math.max(1_000, Math.ceil(etaMs / step) * step);
}

/**
 * How far a load is, by how long loads usually take. Straight until nine tenths of that, then ever slower: it never
 * reaches the end before the fact.
 */
export function loadProgress(elapsedMs: number, typicalMs: number | null): number | null {
  if (typicalMs === null || typicalMs <= 0) return null;
  const part = elapsedMs / typicalMs;
  return part <= 0.9 ? part : 1 - 0.1 * Math.exp(-(part - 0.9) / 0.1 / 10);
}

function elapsedWords(startedAt: number, now: number, format: Text['format']): string {
  const elapsed = wholeSeconds(Math.max(0, now - startedAt));
  return elapsed === 0 ? '' : format.duration(elapsed);
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}
