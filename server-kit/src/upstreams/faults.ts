import type { ErrorCode } from '@ziggie/llm-protocol';

/** What a failure says about the upstream it came from. */
export interface FaultKind {
  /** It is the upstream's fault: its breaker counts it. */
  isFault: boolean;
  /** Another upstream may do better, as long as nothing of the answer has been passed on. */
  mayMove: boolean;
  /** The request may have brought it about, as with a prompt that makes a runner crash. */
  isSuspect?: boolean;
}

const brokenServer: FaultKind = { isFault: true, mayMove: true };
const brokenAnswer: FaultKind = { isFault: true, mayMove: true, isSuspect: true };
/** The server is well and cannot do this now. */
const notHere: FaultKind = { isFault: false, mayMove: true };
/** It took all the time there was. */
const tooSlow: FaultKind = { isFault: true, mayMove: false };
const notItsFault: FaultKind = { isFault: false, mayMove: false };

const kinds: Partial<Record<ErrorCode, FaultKind>> = {
  upstream_unreachable: brokenServer,
  truncated: brokenServer,
  upstream_error: brokenAnswer,
  runner_crashed: brokenAnswer,
  malformed_record: brokenAnswer,
  server_busy: notHere,
  out_of_memory: notHere,
  model_not_found: notHere,
  first_token_timeout: tooSlow,
  idle_timeout: tooSlow,
  load_timeout: tooSlow,
};

/**
 * A failure by its code. What is not listed is no fault of the server: its caller left, the request was wrong (4xx), the
 * answer too long. Those are not tried elsewhere either, where they would fail the same way.
 */
export function faultsOf(code: ErrorCode): FaultKind {
  return kinds[code] ?? notItsFault;
}
