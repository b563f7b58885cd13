import { goJson } from '../ollama/go-json.ts';
import type { Outgoing } from '../ollama/world.ts';
import { type ContentPiece, type EndPiece, figuresOf, type ToolPiece } from '../wire/pieces.ts';
import type { Surface, WholeAnswer } from '../wire/surface.ts';

/** What the events of one answer share. */
export interface ResponsesSurfaceOptions {
  /** Digits for the ids: `resp_190233`. */
  number: () => number;
  createdS: number;
  completedS: () => number;
  model: string;
  /** What of the request the response repeats. */
  echo: Readonly<Record<string, unknown>>;
}

type Member = Readonly<Record<string, unknown>>;

/** `/v1/responses` as Ollama serves it: named events with members in alphabetical order, and no `[DONE]`. */
export function responsesSurface(options: ResponsesSurfaceOptions): Surface {
  const writer = new ResponseWriter(options);
  return {
    dialect: 'openai',
    headers: { 'content-type': 'text/event-stream' },
    heartbeat: ': keep-alive\n\n',
    frame: (payload) => `data: ${payload}\n\n`,
    // Nothing at all is written: the stream just ends.
    lateFailure: () => [],
    frames: (piece) => writer.frames(piece),
    whole: (answer) => wholeResponse(writer, answer),
  };
}

function wholeResponse(writer: ResponseWriter, { text, thinking, tools, end }: WholeAnswer): Outgoing {
  if (thinking !== '') writer.frames({ kind: 'thinking', text: thinking });
  if (text !== '') writer.frames({ kind: 'text', text });
  for (const tool of tools) writer.frames(tool);
  writer.frames(end);
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: `${goJson(writer.response('completed', end))}\n`,
  };
}

class ResponseWriter {
  readonly #options: ResponsesSurfaceOptions;
  readonly #id: string;
  #sequence = 0;
  #output: Member[] = [];
  #open: { kind: 'text' | 'thinking'; id: string; text: string } | undefined;
  #called = false;
  #started = false;

  constructor(options: ResponsesSurfaceOptions) {
    this.#options = options;
    this.#id = `resp_${options.number()}`;
  }

  frames(piece: ContentPiece | EndPiece): string[] {
    const frames = this.#start();
    switch (piece.kind) {
      case 'thinking':
        frames.push(...this.#delta('thinking', piece.text));
        break;
      case 'text':
        frames.push(...this.#text(piece.text));
        break;
      case 'mixed':
        frames.push(...this.#delta('thinking', piece.thinking), ...this.#text(piece.text));
        break;
      case 'tool':
        frames.push(...this.#tool(piece));
        break;
      case 'end': {
        for (const tool of piece.tools) frames.push(...this.#tool(tool));
        frames.push(...this.#close());
        if (piece.finish.marker === false) break;
        frames.push(this.#event('response.completed', { response: this.response('completed', piece) }));
      }
    }
    return frames;
  }

  /** Its status is `completed` after a length stop too. */
  response(status: 'in_progress' | 'completed', end?: EndPiece): Member {
    const { echo, createdS, completedS, model } = this.#options;
    const figures = end && figuresOf(end);
    return sorted({
      background: false,
      completed_at: end ? completedS() : null,
      created_at: createdS,
      error: null,
      frequency_penalty: 0,
      id: this.#id,
      incomplete_details: null,
      instructions: null,
      max_output_tokens: null,
      max_tool_calls: null,
      metadata: {},
      model,
      object: 'response',
      output: this.#output,
      parallel_tool_calls: true,
      presence_penalty: 0,
      previous_response_id: null,
      prompt_cache_key: null,
      reasoning: null,
      safety_identifier: null,
      service_tier: 'default',
      status,
      store: false,
      temperature: 1,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_logprobs: 0,
      top_p: 1,
      truncation: 'disabled',
      ...echo,
      usage: figures
        ? {
            input_tokens: figures.promptTokens,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens: figures.tokens,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: figures.promptTokens + figures.tokens,
          }
        : null,
    });
  }

  #start(): string[] {
    if (this.#started) return [];
    this.#started = true;
    const response = this.response('in_progress');
    return [this.#event('response.created', { response }), this.#event('response.in_progress', { response })];
  }

  /** Text after a tool call is dropped. */
  #text(text: string): string[] {
    return this.#called ? [] : this.#delta('text', text);
  }

  #delta(kind: 'text' | 'thinking', text: string): string[] {
    const frames: string[] = [];
    if (this.#open?.kind !== kind) {
      frames.push(...this.#close());
      const id = `${kind === 'text' ? 'msg' : 'rs'}_${this.#options.number()}`;
      this.#open = { kind, id, text: '' };
      frames.push(this.#item('added', kind === 'text' ? message(id, 'in_progress', []) : reasoning(id, '')));
      if (kind === 'text') frames.push(this.#part('response.content_part.added', id, ''));
    }
    const open = this.#open as { id: string; text: string };
    open.text += text;
    const at = { delta: text, item_id: open.id, output_index: this.#output.length };
    frames.push(
      kind === 'text'
        ? this.#event('response.output_text.delta', { content_index: 0, logprobs: [], ...at })
        : this.#event('response.reasoning_summary_text.delta', { summary_index: 0, ...at }),
    );
    return frames;
  }

  #tool(piece: ToolPiece): string[] {
    const frames = this.#close();
    this.#called = true;
    const id = `fc_${this.#options.number()}`;
    const json = goJson(piece.arguments);
    const item = (status: string, args: string) => ({
      arguments: args,
      call_id: piece.id,
      id,
      name: piece.name,
      status,
      type: 'function_call',
    });
    const at = { item_id: id, output_index: this.#output.length };
    frames.push(
      this.#item('added', item('in_progress', '')),
      this.#event('response.function_call_arguments.delta', { delta: json, ...at }),
      this.#event('response.function_call_arguments.done', { arguments: json, ...at }),
      this.#item('done', item('completed', json)),
    );
    this.#output.push(item('completed', json));
    return frames;
  }

  /** Ends the item that is being written. */
  #close(): string[] {
    const open = this.#open;
    if (!open) return [];
    this.#open = undefined;
    const { id, text } = open;
    const at = { item_id: id, output_index: this.#output.length };
    if (open.kind === 'thinking') {
      const item = reasoning(id, text);
      const frames = [
        this.#event('response.reasoning_summary_text.done', { summary_index: 0, text, ...at }),
        this.#item('done', item),
      ];
      this.#output.push(item);
      return frames;
    }
    const item = message(id, 'completed', [outputText(text)]);
    const frames = [
      this.#event('response.output_text.done', { content_index: 0, logprobs: [], text, ...at }),
      this.#part('response.content_part.done', id, text),
      this.#item('done', item),
    ];
    this.#output.push(item);
    return frames;
  }

  #item(what: 'added' | 'done', item: Member): string {
    return this.#event(`response.output_item.${what}`, { item, output_index: this.#output.length });
  }

  #part(type: string, id: string, text: string): string {
    return this.#event(type, {
      content_index: 0,
      item_id: id,
      output_index: this.#output.length,
      part: outputText(text),
    });
  }

  #event(type: string, members: Member): string {
    const data = sorted({ ...members, sequence_number: this.#sequence++, type });
    return `event: ${type}\ndata: ${goJson(data)}\n\n`;
  }
}

function message(id: string, status: string, content: readonly Member[]): Member {
  return { content, id, role: 'assistant', status, type: 'message' };
}

/** The thinking stands in clear where others encrypt it. */
function reasoning(id: string, text: string): Member {
  const summary = text === '' ? [] : [{ text, type: 'summary_text' }];
  return { encrypted_content: text, id, summary, type: 'reasoning' };
}

function outputText(text: string): Member {
  return { annotations: [], logprobs: [], text, type: 'output_text' };
}

function sorted(members: Member): Member {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}
