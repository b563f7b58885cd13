/** A table as a GitHub Flavored Markdown table. The first row is its head. */
export function tableAsMarkdown(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows.map((row) => row.map(inCell));
  if (head === undefined) return '';
  return [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function inCell(text: string): string {
  return text
    .trim()
    .replace(/\\/g, '\\\\')
    .replace(/\|/g, '\\|')
    .replace(/\s*\n\s*/g, ' ');
}

/**
 * A table as comma-separated values (RFC 4180).
 *
 * A cell that a spreadsheet would take for a formula gets an apostrophe in front: what a model wrote must not compute
 * anything when somebody opens it. Plain numbers stay as they are.
 *
 * @see OWASP, "CSV Injection".
 */
export function tableAsCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => row.map(csvField).join(',')).join('\r\n');
}

function csvField(text: string): string {
  const trimmed = text.trim();
  const isFormula =
    /^[=@\t\r]/.test(trimmed) || (/^[+-]/.test(trimmed) && !/^[+-]?[\d.,\s%]+$/.test(trimmed));
  const safe = isFormula ? `'${trimmed}` : trimmed;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}
