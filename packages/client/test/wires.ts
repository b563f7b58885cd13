import { encodeNdjson, encodeSse, parseJson, type StreamEventBody } from '@ziggie/llm-protocol';
import { OllamaDecoder } from '@ziggie/llm-protocol/ollama';

/** What a transcript of Ollama is on another wire: bytes, the target that reads them, and their content type. */
export interface Wire {
  name: string;
  target: 'ollama' | 'openai' | 'kit';
  contentType: string;
  bytes: Uint8Array;
}

/** Records of a transcript of `/api/chat` or `/api/generate`. */
type Json = Record<string, unknown>;

/** The same answer as Ollama sends it, as an OpenAI-compatible server does, and as the kit does in both framings. */
export function wiresOf(transcript: Uint8Array): Wire[] {
  const text = new TextDecoder().decode(transcript);
  const records = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parseJson(line) as Json);
  const events = kitEvents(records);
  const encode = (body: string): Uint8Array => new TextEncoder().encode(body);
  return [
    { name: 'Ollama NDJSON', target: 'ollama', contentType: 'application/x-ndjson', bytes: transcript },
    {
      name: 'OpenAI SSE',
      target: 'openai',
      contentType: 'text/event-stream',
      bytes: encode(openAiSse(records)),
    },
    {
      name: 'kit NDJSON',
      target: 'kit',
      contentType: 'application/x-ndjson',
      bytes: encode(events.map((event, seq) => encodeNdjson({ ...event, seq })).join('')),
    },
    {
      name: 'kit SSE',
      target: 'kit',
      contentType: 'text/event-stream',
      bytes: encode(events.map((event, seq) => encodeSse({ ...event, seq })).join('')),
    },
  ];
}

/** As the kit makes them of an upstream's records. */
export function kitEvents(records: readonly Json[]): StreamEventBody[] {
  const decoder = new OllamaDecoder();
  const model = String(records[0]?.['model'] ?? 'm');
  const start = { type: 'start', id: 'run', model: 'm', upstreamModel: model, resumable: false } as const;
  return [start, ...records.flatMap((record) => decoder.decode(record))];
}

/** As Ollama's own `/v1/chat/completions` rewrites its records (middleware/openai.go, v0.33). */
function openAiSse(records: readonly Json[]): string {
  const chunks: unknown[] = [];
  const push = (record: Json, delta: Json, finish: string | null = null): void => {
    chunks.push({
      id: 'run',
      object: 'chat.completion.chunk',
      model: record['model'],
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
  };
  let calls = 0;
  for (const record of records) {
    const message = (record['message'] ?? record) as Json;
    if (message['thinking']) push(record, { role: 'assistant', content: '', reasoning: message['thinking'] });
    const words = message['content'] ?? message['response'];
    if (words) push(record, { content: words });
    for (const call of (message['tool_calls'] ?? []) as { id?: string; function: Json }[]) {
      const { name, arguments: args } = call.function;
      const wire = {
        index: calls++,
        id: call.id,
        type: 'function',
        function: { name, arguments: JSON.stringify(args) },
      };
      push(record, { tool_calls: [wire] });
    }
    if (record['done'] !== true) continue;
    push(record, {}, record['done_reason'] === 'length' ? 'length' : calls > 0 ? 'tool_calls' : 'stop');
    const [input, output] = [record['prompt_eval_count'], record['eval_count']];
    if (input !== undefined && output !== undefined) {
      chunks.push({
        id: 'run',
        model: record['model'],
        choices: [],
        usage: { prompt_tokens: input, completion_tokens: output },
      });
    }
  }
  return `${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')}data: [DONE]\n\n`;
}
