import { type ErrorCode, errorCodeForStatus, errorKinds } from '../../error-codes.ts';

/** What an Ollama failure is in the words of the error table. */
export interface OllamaFailure {
  code: ErrorCode;
  status: number;
  retryable: boolean;
}

const noReason = 'The model server gave no reason.';

/**
 * The human text of an `error` member: a string, an object (`/v1`, proxies), or JSON inside a string (errors of the
 * runner that Ollama passes on). Never `[object Object]`.
 */
export function ollamaErrorText(error: unknown): string {
  if (typeof error === 'string') {
    const trimmed = error.trim();
    if (trimmed.startsWith('{')) {
      try {
        const inner: unknown = JSON.parse(trimmed);
        return memberText(inner) ?? noReason;
      } catch {
        // Not JSON after all: the text itself is the message.
      }
    }
    return trimmed === '' ? noReason : trimmed;
  }
  return memberText(error) ?? noReason;
}

function memberText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { error, message } = value as { error?: unknown; message?: unknown };
  if (typeof message === 'string' && message !== '') return message;
  if (error !== undefined && error !== null && error !== '') return ollamaErrorText(error);
  return undefined;
}

/** The failure text of a whole answer body: JSON in any of its shapes, plain text, or nothing (then `undefined`). */
export function ollamaBodyText(body: string): string | undefined {
  const trimmed = body.trim();
  if (trimmed === '' || trimmed.startsWith('<')) return undefined;
  if (trimmed.startsWith('{')) return ollamaErrorText(trimmed);
  return trimmed.slice(0, 500);
}

interface Rule {
  pattern: RegExp;
  code: ErrorCode;
  retryable?: boolean;
}

// Stable pieces of the texts in server/routes.go, server/sched.go and llm/llama_server.go (v0.12 to v0.33), most
// specific first. Ollama's in-stream errors have no status, so the text alone must tell.
const rules: readonly Rule[] = [
  { pattern: /does not support|not currently supported|supports one image/i, code: 'capability_unsupported' },
  {
    pattern: /exceed_context_size|context (?:length|size)|longer than the context/i,
    code: 'context_overflow',
  },
  // The model does not fit at all: waiting does not help.
  { pattern: /requires more system memory/i, code: 'out_of_memory', retryable: false },
  {
    pattern:
      /out of (?:device )?memory|out-of-memory|(?:cuda|hip)malloc failed|failed to allocate|allocation failed|not enough memory|insufficient memory|outofdevicememory/i,
    code: 'out_of_memory',
  },
  { pattern: /server busy|maximum pending requests|no slots available/i, code: 'server_busy' },
  {
    pattern: /timed out waiting for (?:llama|server)|timed out waiting for llama-server/i,
    code: 'load_timeout',
  },
  {
    pattern:
      /runner has unexpectedly stopped|process has terminated|process no longer running|error was encountered while running the model/i,
    code: 'runner_crashed',
  },
  {
    pattern: /arg_key and arg_value|XML syntax error|is not declared|error parsing tool call/i,
    code: 'model_output_invalid',
  },
  { pattern: /model .*not found|pull model manifest/i, code: 'model_not_found' },
  // A caller's mistake that Ollama reports as 500 (wrong option type, bad format).
  { pattern: /^option "|^invalid format|missing unit in duration|^invalid /i, code: 'bad_request' },
];

/**
 * Which failure it is, from the HTTP status (`undefined` inside a stream) and the text.
 *
 * The text decides where it is known, because Ollama reports some mistakes of the caller as 500 and an unknown model
 * with four different texts; else the status does. Without either it is `upstream_error`.
 *
 * @param raw The body or member that `text` was read from: the runner's own errors name their kind beside the text.
 */
export function classifyOllamaError(
  status: number | undefined,
  text: string,
  raw: string = '',
): OllamaFailure {
  const searched = raw === '' ? text : `${text}\n${raw}`;
  // A credential problem is one whatever the text says.
  if (status !== 401 && status !== 403) {
    for (const rule of rules) {
      if (rule.pattern.test(searched)) return failure(rule.code, rule.retryable);
    }
  }
  return failure(status === undefined ? 'upstream_error' : errorCodeForStatus(status));
}

function failure(code: ErrorCode, retryable?: boolean): OllamaFailure {
  const kind = errorKinds[code];
  return { code, status: kind.status, retryable: retryable ?? kind.retryable };
}
