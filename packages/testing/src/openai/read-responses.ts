import { HttpFailure } from '../ollama/http-failure.ts';
import { isObject } from '../ollama/request-body.ts';
import { base64Of, defined } from './read-chat.ts';

/** A request for `/v1/responses`, as `/api/chat` would take it. */
export function readOpenAiResponses(body: Record<string, unknown>, thinkOf: (effort: unknown) => unknown) {
  const { instructions, input, tools, reasoning, text } = body;
  const effort = isObject(reasoning) ? reasoning['effort'] : undefined;
  const format = isObject(text) && isObject(text['format']) ? text['format'] : {};
  const messages = [
    ...(typeof instructions === 'string' && instructions !== ''
      ? [{ role: 'system', content: instructions }]
      : []),
    ...(typeof input === 'string' ? [{ role: 'user', content: input }] : readInput(input)),
  ];
  return defined({
    model: body['model'],
    messages,
    stream: body['stream'] === true,
    tools: Array.isArray(tools) ? tools.filter(isObject).map(nestedTool) : undefined,
    think: effort === undefined || effort === null ? undefined : thinkOf(effort),
    format: format['type'] === 'json_schema' ? format['schema'] : undefined,
    options: defined({
      num_predict: body['max_output_tokens'],
      temperature: body['temperature'] ?? 1,
      top_p: body['top_p'],
    }),
  });
}

/** Here a tool's members lie flat, and nested everywhere else. */
function nestedTool({ type, ...fn }: Record<string, unknown>): unknown {
  return { type, function: isObject(fn['function']) ? fn['function'] : fn };
}

function readInput(input: unknown): Record<string, unknown>[] {
  if (!Array.isArray(input)) throw new HttpFailure(400, 'input is required');
  return input.flatMap((item): Record<string, unknown>[] => {
    if (!isObject(item)) throw new HttpFailure(400, 'invalid input item');
    if (item['type'] === 'function_call') return [callOf(item)];
    if (item['type'] === 'function_call_output') {
      return [{ role: 'tool', content: String(item['output'] ?? ''), tool_call_id: item['call_id'] }];
    }
    if (item['type'] === 'reasoning') return [];
    const { role, content } = item;
    if (typeof content === 'string') return [{ role, content }];
    return (Array.isArray(content) ? content : []).map((part) => ({ role, ...readPart(part) }));
  });
}

function callOf(item: Record<string, unknown>): Record<string, unknown> {
  let args: unknown;
  try {
    args = JSON.parse(String(item['arguments'] ?? '{}'));
  } catch {
    throw new HttpFailure(400, 'invalid function call arguments');
  }
  const call = { id: item['call_id'], function: { name: item['name'], arguments: args } };
  return { role: 'assistant', content: '', tool_calls: [call] };
}

function readPart(part: unknown): Record<string, unknown> {
  const type = isObject(part) ? part['type'] : undefined;
  if (isObject(part) && (type === 'input_text' || type === 'output_text' || type === 'text')) {
    return { content: String(part['text'] ?? '') };
  }
  if (isObject(part) && type === 'input_image') {
    return { content: '', images: [base64Of(String(part['image_url'] ?? ''))] };
  }
  throw new HttpFailure(400, `unsupported content type: ${String(type)}`);
}
