type Loose = Readonly<Record<string, unknown>>;

const joined = ['content', 'response', 'thinking'];
const listed = ['tool_calls', 'logprobs'];

/** The records of one stream as Ollama would have answered without streaming: texts joined, lists together, the rest of the last. */
export function joinRecords(records: readonly Loose[]): Record<string, unknown> {
  const last: Record<string, unknown> = { ...records.at(-1) };
  join(records, last);
  if ('message' in last) {
    const messages = records.map(({ message }) => (message ?? {}) as Loose);
    const message = { ...messages[0], ...messages.at(-1) };
    join(messages, message);
    last['message'] = message;
  }
  return last;
}

function join(parts: readonly Loose[], into: Record<string, unknown>): void {
  for (const name of joined) {
    const texts = parts.map((part) => part[name]).filter((text) => typeof text === 'string');
    if (texts.length > 0) into[name] = texts.join('');
  }
  for (const name of listed) {
    const lists = parts.flatMap((part) => (Array.isArray(part[name]) ? (part[name] as unknown[]) : []));
    if (lists.length > 0) into[name] = lists;
  }
}
