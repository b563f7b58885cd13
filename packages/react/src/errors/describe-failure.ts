import type { TurnFailure } from '@ziggie/llm-client/conversation';
import { errorKinds, isErrorCode } from '@ziggie/llm-protocol';
import type { Text } from '../text/text-context.ts';

/** The one thing to do about a failure. */
export type FailureAction = 'retry' | 'sign-in' | 'pick-model' | 'none';

/** What an error card shows. */
export interface FailureWords {
  tone: 'danger' | 'warn';
  title: string;
  line: string;
  action: FailureAction;
  /** Milliseconds until the action makes sense; 0 when it does now. */
  waitMs: number;
}

/**
 * Puts a failure into words: what happened, one line, one best action. Every code of the error table has its case, which
 * the compiler checks; a code of a newer server gets the general words.
 */
export function describeFailure(
  failure: TurnFailure,
  model: string | null,
  now: number,
  { strings, format }: Text,
): FailureWords {
  const waitMs = Math.max(0, (failure.retryAt ?? 0) - now);
  const danger = (title: string, line: string, action: FailureAction = 'retry'): FailureWords => ({
    tone: 'danger',
    title,
    line,
    action,
    waitMs,
  });
  const warn = (title: string, line: string, action: FailureAction = 'retry'): FailureWords => ({
    ...danger(
      title,
      waitMs > 0 ? strings.rateLimitedWait(format.duration(wholeSeconds(waitMs))) : line,
      action,
    ),
    tone: 'warn',
  });
  const general = () => danger(strings.failedTitle, strings.failedText, failure.retryable ? 'retry' : 'none');
  if (!isErrorCode(failure.code)) return general();
  switch (failure.code) {
    case 'unauthorized':
      return danger(strings.signedOutTitle, strings.signedOutText, 'sign-in');
    case 'forbidden':
      return danger(strings.forbiddenTitle, strings.forbiddenText, 'none');
    case 'model_not_found':
      return danger(
        strings.modelMissingTitle(model ?? strings.model),
        strings.modelMissingText,
        'pick-model',
      );
    case 'rate_limited':
      return warn(strings.rateLimitedTitle, strings.rateLimitedText);
    case 'quota_exceeded': {
      const line =
        waitMs > 0
          ? strings.quotaReset(format.duration(waitMs), format.time(failure.retryAt ?? now))
          : strings.quotaText;
      return { ...warn(strings.quotaTitle, line, 'none'), line };
    }
    case 'too_many_in_flight':
      return warn(strings.tooManyTitle, strings.tooManyText);
    case 'server_busy':
    case 'queue_full':
    case 'queue_timeout':
    case 'store_unavailable':
      return warn(strings.busyTitle, strings.busyText);
    case 'shutting_down':
      return warn(strings.restartingTitle, strings.restartingText);
    case 'connect_failed':
    case 'connect_timeout':
      return danger(strings.unreachableTitle, strings.unreachableText);
    case 'truncated':
      return danger(strings.truncatedTitle, strings.truncatedText);
    case 'upstream_error':
    case 'upstream_unreachable':
    case 'runner_crashed':
    case 'model_output_invalid':
    case 'schema_invalid':
    case 'tool_loop':
    case 'malformed_record':
      return danger(strings.upstreamTitle, strings.upstreamText);
    case 'out_of_memory':
      return danger(strings.memoryTitle, strings.memoryText, 'pick-model');
    case 'load_timeout':
    case 'first_token_timeout':
    case 'idle_timeout':
    case 'deadline_exceeded':
      return danger(strings.timeoutTitle, strings.timeoutText);
    case 'context_overflow':
      return danger(strings.contextTitle, strings.contextText, 'pick-model');
    case 'payload_too_large':
    case 'response_too_large':
      return danger(strings.tooLargeTitle, strings.tooLargeText, 'none');
    case 'capability_unsupported':
      return danger(strings.unsupportedTitle, strings.unsupportedText, 'pick-model');
    case 'internal_error':
    case 'tool_failed':
    case 'bad_request':
    case 'content_blocked':
    case 'not_found':
    case 'method_not_allowed':
    case 'unsupported_media_type':
      return { ...general(), action: errorKinds[failure.code].retryable ? 'retry' : 'none' };
    case 'aborted':
      return danger(strings.stopped, '', 'retry');
  }
}

/** Counts down to 1 s and then to nothing. */
function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1_000) * 1_000;
}
