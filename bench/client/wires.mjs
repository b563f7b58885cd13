/** One answer of many records in each of the wires that clients read, and what it says. */
const encoder = new TextEncoder();

/** @param count How many pieces of text. */
export function wires(count) {
  const words = Array.from({ length: count }, (_, at) => ` token${at}`);
  const length = words.join('').length;
  const sse = (records) => records.map((record) => `data: ${record}\n\n`).join('');
  const chunk = (delta, finish) =>
    JSON.stringify({
      id: 'chatcmpl-417',
      object: 'chat.completion.chunk',
      created: 1795166043,
      model: 'llama3.2',
      system_fingerprint: 'fp_ollama',
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [],
    stop_reason: null,
  };
  const named = (type, more) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const texts = {
    'NDJSON (Ollama)': [
      ...words.map(
        (word) =>
          `{"model":"llama3.2","created_at":"2026-11-23T10:00:00.123456789Z","message":{"role":"assistant","content":"${word}"},"done":false}\n`,
      ),
      '{"model":"llama3.2","created_at":"2026-11-23T10:00:01Z","message":{"role":"assistant","content":""},"done":true,' +
        `"done_reason":"stop","total_duration":1000000000,"eval_count":${count},"prompt_eval_count":10,"eval_duration":900000000}\n`,
    ].join(''),
    'SSE (OpenAI)': sse([
      chunk({ role: 'assistant', content: '' }, null),
      ...words.map((content) => chunk({ content }, null)),
      chunk({}, 'stop'),
      '[DONE]',
    ]),
    'SSE (Anthropic)': [
      named('message_start', { message: { ...message, usage: { input_tokens: 1, output_tokens: 1 } } }),
      named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      ...words.map((text) => named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
      named('content_block_stop', { index: 0 }),
      named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: count } }),
      named('message_stop', {}),
    ].join(''),
    'SSE (AG-UI)': sse([
      JSON.stringify({ type: 'RUN_STARTED', runId: 'r', threadId: 't', timestamp: 1 }),
      JSON.stringify({ type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant', timestamp: 1 }),
      ...words.map((delta) =>
        JSON.stringify({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta, timestamp: 1 }),
      ),
      JSON.stringify({ type: 'TEXT_MESSAGE_END', messageId: 'm', timestamp: 1 }),
      JSON.stringify({ type: 'RUN_FINISHED', runId: 'r', threadId: 't', timestamp: 1 }),
      '[DONE]',
    ]),
    'NDJSON (kit)': numbered(words)
      .map((event) => `${event}\n`)
      .join(''),
    'SSE (kit)': numbered(words)
      .map((event, seq) => `id: ${seq}\ndata: ${event}\n\n`)
      .join(''),
  };
  return {
    length,
    bytes: Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, encoder.encode(text)])),
  };
}

function numbered(words) {
  return [
    { type: 'start', id: 'run-1', model: 'm', upstreamModel: 'm', resumable: false },
    ...words.map((text) => ({ type: 'text-delta', text })),
    { type: 'usage', inputTokens: 10, outputTokens: words.length, source: 'upstream' },
    { type: 'done', finishReason: 'stop', timings: {} },
  ].map((event, seq) => JSON.stringify({ ...event, seq }));
}

/** A body of these bytes in chunks of `size`, made as it is read. */
export function answer(bytes, size, contentType) {
  let at = 0;
  const body = new ReadableStream(
    {
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(at, at + size));
        at += size;
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { 'content-type': contentType } });
}
