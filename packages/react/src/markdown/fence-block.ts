/** A code fence taken apart. */
export interface FenceBlock {
  /** First word after the opening fence, or ''. */
  readonly language: string;
  /** The lines between the fences, without blank lines at the end. */
  readonly code: string;
  /** Whether the closing fence is there. */
  readonly closed: boolean;
}

/**
 * Takes a block apart that is one code fence, open or closed, at the very left.
 *
 * This saves parsing code at all, and keeps its text in one place on the page while it grows. Anything unusual (an
 * indented fence, an escape in the language) gives `null` and goes through the parser.
 */
export function readFenceBlock(source: string): FenceBlock | null {
  const opening = /^(?:[ \t]*\n)*(`{3,}|~{3,})([^\n]*)\n/.exec(source);
  if (opening === null) return null;
  const [head, fence = '', rest = ''] = opening;
  const info = rest.trim();
  if (/[\\&\0]/.test(info) || (fence.startsWith('`') && info.includes('`'))) return null;
  const body = source.slice(head.length);
  const end = closingFence(body, fence);
  return {
    language: info.split(/[ \t]/, 1)[0] ?? '',
    code: body.slice(0, end ?? body.length).replace(/\n+$/, ''),
    closed: end !== null,
  };
}

/** Where the closing line begins, if there is one: it is then the last line with anything on it. */
function closingFence(body: string, fence: string): number | null {
  const trimmed = body.trimEnd();
  const start = trimmed.lastIndexOf('\n') + 1;
  const line = trimmed.slice(start).trim();
  const char = fence[0] ?? '';
  return line.length >= fence.length && line === char.repeat(line.length) ? start : null;
}
