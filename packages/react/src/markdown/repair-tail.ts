/**
 * Makes a half-typed block fit to be shown: what may still become a marker is held back, what stands open is closed.
 *
 * Nothing is added that the reader would see. The open block is parsed from this on every frame, and once more from its
 * real source when it is over.
 *
 * @param isCut Whether nothing more comes although it is not over: then marks alone are held back, and no words.
 */
export function repairTail(source: string, isCut = false): string {
  const lineStart = source.lastIndexOf('\n') + 1;
  const lastLine = source.slice(lineStart);
  // `-`, `1.`, `##`, `>`, `- [ ]`, a fence or an underline being typed: what it will be is not known yet.
  if (
    /^[ \t>]*(?:[-+*=_~`#|:]+|\d{1,9}[.)]?|(?:[-+*]|\d{1,9}[.)]|#{1,6})[ \t]+[-+*=_~`#|]*|`{3}[^`\n]*|~{3}[^\n]*|(?:[-+*]|\d{1,9}[.)])[ \t]+\[[ xX]?(?:\][ \t]*)?|[ \t>]*)$/.test(
      lastLine,
    ) &&
    !(isCut && /^[ \t>]*\d+$/.test(lastLine))
  ) {
    const before = source.slice(0, lineStart);
    return isCut ? completeTable(source, before) : repairTable(before);
  }
  const table = isCut ? completeTable(source, source) : repairTable(source);
  if (table !== source) return table;
  if (!isCut && isInAlignedCell(source, lastLine)) return source.slice(0, source.lastIndexOf('|') + 1);
  const start = inlineStart(source);
  return source.slice(0, start) + repairInline(source.slice(start), isCut);
}

/**
 * Holds back a table until its first row is complete: without the line of dashes it is a row of pipes, and the widths of its
 * columns come from the head and that row.
 */
function repairTable(source: string): string {
  return readHead(source)?.before ?? beforeFirstRow(source) ?? source;
}

/** Longest row that is waited for: a second or two at the pace of a usual model. */
const MAX_WAITING_ROW = 320;

function beforeFirstRow(source: string): string | undefined {
  const rowStart = source.lastIndexOf('\n') + 1;
  const head =
    source.length - rowStart > MAX_WAITING_ROW ? null : readHead(source.slice(0, rowStart).trimEnd());
  return head?.dashes.includes('-') ? head.before : undefined;
}

/** Gives the head of a table the line of dashes that did not come. @returns `otherwise` where there is no such head. */
function completeTable(source: string, otherwise: string): string {
  const head = readHead(source);
  // What is indented is code, most likely.
  if (head === null || /^(?: {4}|\t)/.test(head.row)) return otherwise;
  const row = head.row.replace(/[^|]*$/, (cell) => repairInline(cell, true));
  const [margin = '', ...cells] = row.replace(/\|[ \t]*$/, '').split(/(?<!\\)\|/);
  const sides = head.dashes.split('|').slice(1, -1);
  if (cells.length === 0) return head.before;
  return `${head.before}${row}\n${margin}|${cells.map((_, index) => sides[index] ?? '---').join('|')}|`;
}

/** The head of a table at the end of a text, as long as the line of dashes under it is not complete. */
function readHead(source: string): { before: string; row: string; dashes: string } | null {
  const head = /(?:^|\n)([ \t>]*\|[^\n]*)(?:\n([ \t>]*[|:\- \t]*))?\n?$/.exec(source);
  if (head === null) return null;
  const [whole, row = '', dashes = ''] = head;
  const before = source.slice(0, head.index + (whole.startsWith('\n') ? 1 : 0));
  // A row below other rows belongs to a table that stands already.
  if (/\|[^\n]*\n$/.test(before)) return null;
  return dashes.includes('-') && source.endsWith('\n') ? null : { before, row, dashes };
}

/** Longest cell that waits for its end: about 100 ms at the pace of a usual model. */
const MAX_WAITING_CELL = 12;

/** Whether a cell is being typed whose words are centred or stand at its end: each letter would move the others. */
function isInAlignedCell(source: string, lastLine: string): boolean {
  const row = /^[ \t>]*\|(.*)$/.exec(lastLine)?.[1];
  if (row === undefined) return false;
  const before = row.split('|');
  if ((before.at(-1) ?? '').trim().length > MAX_WAITING_CELL) return false;
  const dashes = /\n[ \t>]*\|([|:\- \t]*-[|:\- \t]*)\n(?:[ \t>]*\|[^\n]*\n)*[^\n]*$/.exec(source)?.[1];
  return /:[ \t]*$/.test(dashes?.split('|')[before.length - 1] ?? '');
}

/** Where the last paragraph, heading, list item or cell begins. */
function inlineStart(source: string): number {
  let start = source.length;
  for (;;) {
    const lineStart = source.lastIndexOf('\n', start - 1) + 1;
    const line = source.slice(lineStart, start === source.length ? source.length : start - 1);
    const marker = /^[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)]|#{1,6})(?:[ \t]+|$)(?:\[[ xX]\][ \t]+)?)+/.exec(line);
    if (marker !== null) return lineStart + marker[0].length;
    if (/^[ \t]*\|/.test(line)) return lineStart + line.lastIndexOf('|', line.length - 2) + 1;
    if (line.trim() === '') return Math.min(start, source.length);
    if (lineStart === 0) return 0;
    start = lineStart;
  }
}

/** Longest label or address that is waited for; a bracket that stands open longer is a bracket. */
const MAX_LABEL = 160;
const MAX_ADDRESS = 2_048;

/** Closes emphasis and code, and shows a link's words while its address is being typed. */
function repairInline(source: string, isCut: boolean): string {
  let text = source;
  const open: { char: string; count: number }[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? '';
    if (char === '\\') {
      if (at + 1 === text.length) return closeAll(text.slice(0, at), open);
      at += 2;
    } else if (char === '`') {
      const ticks = /^`+/.exec(text.slice(at))?.[0] ?? '`';
      const end = findTicks(text, at + ticks.length, ticks.length);
      if (end < 0) {
        const body = text.slice(at + ticks.length).replace(/`+$/, '');
        const before = text.slice(0, at);
        return body.trim() === '' ? closeAll(before, open) : closeAll(before + ticks + body + ticks, open);
      }
      at = end;
    } else if (char === '[' || (char === '!' && text[at + 1] === '[')) {
      const link = readLink(text, at);
      if (link === 'unfinished-label') {
        // Whole where nothing more comes; half the name of a note, or what stands for a picture, is nothing to read.
        const isClosed = text.endsWith(']');
        if (!isCut || char === '!' || (text[at + 1] === '^' && !isClosed))
          return closeAll(text.slice(0, at), open);
        // The words of a link that leads nowhere yet stay; behind a letter a bracket is no link.
        if (isClosed || /\w/.test(text[at - 1] ?? '')) at += 1;
        else text = text.slice(0, at) + text.slice(at + 1);
        continue;
      }
      if (typeof link === 'object') {
        const words = char === '!' ? '' : `${text.slice(at, link.labelEnd + 1)}()`;
        return closeAll(text.slice(0, at) + words, open);
      }
      at = char === '!' ? at + 2 : at + 1;
    } else if (char === '*' || char === '_' || char === '~') {
      const run = runAt(text, at);
      if (at + run === text.length) return closeAll(text.slice(0, at), open);
      toggle(open, char, run, text[at - 1], text[at + run]);
      at += run;
    } else if (!isCut && char === '&' && /^&#?[a-z0-9]{0,8}$/i.test(text.slice(at))) {
      return closeAll(text.slice(0, at), open);
    } else {
      at += 1;
    }
  }
  return closeAll(text, open);
}

function runAt(text: string, start: number): number {
  let end = start + 1;
  while (text[end] === text[start]) end += 1;
  return end - start;
}

function findTicks(text: string, from: number, length: number): number {
  for (let at = text.indexOf('`', from); at >= 0; at = text.indexOf('`', at)) {
    const run = runAt(text, at);
    if (run === length) return at + run;
    at += run;
  }
  return -1;
}

/** `whole`: nothing to repair here. Otherwise what is missing. */
function readLink(text: string, start: number): 'whole' | 'unfinished-label' | { labelEnd: number } {
  const bracket = text.indexOf('[', start);
  let depth = 0;
  let at = bracket;
  for (; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '[') depth += 1;
    else if (text[at] === ']') {
      depth -= 1;
      if (depth === 0) break;
    }
  }
  if (at >= text.length) return text.length - bracket > MAX_LABEL ? 'whole' : 'unfinished-label';
  if (at + 1 === text.length) return 'unfinished-label';
  if (text[at + 1] !== '(') return 'whole';
  let parentheses = 0;
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === '(') parentheses += 1;
    else if (text[end] === ')') parentheses -= 1;
    if (parentheses === 0) return 'whole';
  }
  const address = text.slice(at + 2);
  return address.length > MAX_ADDRESS || /\n\s*\S/.test(address) ? 'whole' : { labelEnd: at };
}

/** Opens or closes emphasis, near enough to CommonMark's flanking rules for what models write. */
function toggle(
  open: { char: string; count: number }[],
  char: string,
  run: number,
  before: string | undefined,
  after: string | undefined,
): void {
  if (char === '~' && run !== 2) return;
  const spaceBefore = before === undefined || /\s/.test(before);
  const spaceAfter = after === undefined || /\s/.test(after);
  const wordBefore = before !== undefined && /[\p{L}\p{N}]/u.test(before);
  const wordAfter = after !== undefined && /[\p{L}\p{N}]/u.test(after);
  let left = run;
  if (!spaceBefore && !(char === '_' && wordAfter)) {
    for (let top = open.at(-1); top !== undefined && top.char === char && left > 0; top = open.at(-1)) {
      const taken = Math.min(left, top.count);
      top.count -= taken;
      left -= taken;
      if (top.count === 0) open.pop();
      else break;
    }
  }
  if (left > 0 && left <= 3 && !spaceAfter && !(char === '_' && wordBefore)) open.push({ char, count: left });
}

function closeAll(text: string, open: readonly { char: string; count: number }[]): string {
  if (open.length === 0) return text;
  const body = text.trimEnd();
  const closers = [...open].reverse().map(({ char, count }) => char.repeat(count));
  // Nothing stands inside yet: the opening markers go as well.
  const empty = /(?:\*+|_+|~~)$/.exec(body);
  if (empty !== null && open.at(-1)?.char === empty[0][0]) {
    return closeAll(body.slice(0, -empty[0].length), open.slice(0, -1));
  }
  return body + closers.join('') + text.slice(body.length);
}
