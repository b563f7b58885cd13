import { HttpFailure } from '../ollama/http-failure.ts';
import { isObject } from '../ollama/request-body.ts';
import { defined } from '../openai/read-chat.ts';
import { textOf } from '../script/asked.ts';

/**
 * A request for `/v1/messages`, as `/api/chat` would take it.
 *
 * @throws {HttpFailure} 400 for what the route requires.
 */
export function readAnthropicMessages(body: Record<string, unknown>, canThink: boolean) {
  const { messages, system, stop_sequences: stops, tools, thinking, output_config: output } = body;
  const type = isObject(thinking) ? thinking['type'] : undefined;
  const effort = isObject(output) ? output['effort'] : undefined;
  const wanted =
    type === 'enabled' || type === 'adaptive' ? (effort ?? true) : type === 'disabled' ? false : effort;
  const systemText = typeof system === 'string' ? system : textOf(system);
  return defined({
    model: body['model'],
    messages: [
      ...(systemText === '' ? [] : [{ role: 'system', content: systemText }]),
      ...(messages as unknown[]).flatMap(readMessage),
    ],
    stream: body['stream'] === true,
    tools: Array.isArray(tools) ? tools.filter(isObject).map(toolOf) : undefined,
    // Where the model cannot think, the wish is dropped and not refused.
    think: canThink || wanted === false ? wanted : undefined,
    options: defined({
      num_predict: body['max_tokens'],
      stop: stops,
      temperature: body['temperature'],
      top_p: body['top_p'],
      top_k: body['top_k'],
    }),
  });
}

/** What must be there before anything is looked up. */
export function validateMessages(body: Record<string, unknown>): void {
  if (typeof body['model'] !== 'string' || body['model'] === '')
    throw new HttpFailure(400, 'model is required');
  const { max_tokens: maxTokens, messages } = body;
  if (typeof maxTokens !== 'number' || maxTokens <= 0) {
    throw new HttpFailure(400, 'max_tokens is required and must be positive');
  }
  if (!Array.isArray(messages) || messages.length === 0) throw new HttpFailure(400, 'messages is required');
}

function toolOf(tool: Record<string, unknown>): unknown {
  const { name, description, input_schema: parameters } = tool;
  return { type: 'function', function: defined({ name, description, parameters }) };
}

function readMessage(message: unknown): Record<string, unknown>[] {
  if (!isObject(message)) throw new HttpFailure(400, 'invalid message');
  const { role, content } = message;
  if (typeof content === 'string') return [{ role, content }];
  if (!Array.isArray(content)) throw new HttpFailure(400, 'invalid message content');
  const results: Record<string, unknown>[] = [];
  const own: { role: unknown; content: string; thinking?: string; images: string[]; tool_calls: unknown[] } =
    {
      role,
      content: '',
      images: [],
      tool_calls: [],
    };
  for (const block of content) {
    if (!isObject(block)) throw new HttpFailure(400, 'invalid content block');
    const { type } = block;
    if (type === 'text') own.content += String(block['text'] ?? '');
    else if (type === 'thinking') own.thinking = String(block['thinking'] ?? '');
    else if (type === 'image') own.images.push(imageOf(block['source']));
    else if (type === 'tool_use') {
      own.tool_calls.push({
        id: block['id'],
        function: { name: block['name'], arguments: block['input'] ?? {} },
      });
    } else if (type === 'tool_result') {
      const text = typeof block['content'] === 'string' ? block['content'] : textOf(block['content']);
      results.push({ role: 'tool', content: text, tool_call_id: block['tool_use_id'] });
    }
  }
  const hasOwn = own.content !== '' || own.images.length > 0 || own.tool_calls.length > 0;
  return hasOwn || results.length === 0 ? [...results, own] : results;
}

function imageOf(source: unknown): string {
  if (isObject(source) && source['type'] === 'base64') return String(source['data'] ?? '');
  throw new HttpFailure(400, 'invalid image source type: only base64 is supported');
}
