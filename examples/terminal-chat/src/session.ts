import type { ZiggieClient } from '@ziggie/llm-client';
import { isZiggieError, type ZiggieError } from '@ziggie/llm-client';
import { runTools, type Tool, type ToolRun, type ToolRunEvent } from '@ziggie/llm-client/tools';
import type { ChatMessage, ModelInfo } from '@ziggie/llm-protocol';
import { MarkdownPainter } from './markdown.ts';
import { harmless } from './paint.ts';
import type { Terminal } from './terminal.ts';

/** One conversation on a terminal. */
export class Session {
  readonly client: ZiggieClient;
  readonly #terminal: Terminal;
  readonly #tools: readonly Tool[];
  model: string;
  models: readonly ModelInfo[];
  system: string | undefined;
  toolsOn: boolean;
  thinkingShown: boolean;
  messages: ChatMessage[] = [];
  /** Whether the last turn failed. */
  failed = false;
  #run: ToolRun | undefined;
  #asking = new AbortController();

  constructor(
    client: ZiggieClient,
    terminal: Terminal,
    settings: {
      model: string;
      models: readonly ModelInfo[];
      tools: readonly Tool[];
      toolsOn: boolean;
      thinkingShown: boolean;
      system: string | undefined;
    },
  ) {
    this.client = client;
    this.#terminal = terminal;
    this.#tools = settings.tools;
    this.model = settings.model;
    this.models = settings.models;
    this.system = settings.system;
    this.toolsOn = settings.toolsOn;
    this.thinkingShown = settings.thinkingShown;
  }

  get busy(): boolean {
    return this.#run !== undefined;
  }

  /** Stops the answer that is being written. */
  stop(): void {
    this.#asking.abort();
    this.#run?.abort();
  }

  /** The question before the last answer, for another try. */
  takeBack(): string | undefined {
    const at = this.messages.findLastIndex(({ role }) => role === 'user');
    const question = this.messages[at]?.content;
    if (at !== -1) this.messages = this.messages.slice(0, at);
    return question;
  }

  /** One turn. A failure is told, and `failed` says that there was one. */
  async ask(question: string): Promise<void> {
    this.failed = false;
    const before = this.messages;
    const asked: ChatMessage[] = [...before, { role: 'user', content: question }];
    const system: ChatMessage[] = this.system === undefined ? [] : [{ role: 'system', content: this.system }];
    const canCall = this.#can('tools') && this.toolsOn;
    this.#asking = new AbortController();
    const run = runTools(
      this.client,
      { model: this.model, messages: [...system, ...asked], tools: canCall ? this.#tools : [] },
      { approve: (call) => this.#approve(call.name, call.arguments) },
    );
    this.#run = run;
    const startedAt = performance.now();
    this.#terminal.status('waiting …  Ctrl-C stops');
    try {
      await this.#show(run);
      const result = await run.final();
      this.messages = result.messages.slice(system.length);
      this.#terminal.freshLine();
      this.#terminal.note(
        this.#terminal.paint.dim(
          statsLine(this.model, result.usage?.outputTokens, result.timings, performance.now() - startedAt),
        ),
      );
      if (result.finishReason === 'length') this.#terminal.note('The answer was cut at its longest length.');
    } catch (error) {
      if (!isZiggieError(error)) throw error;
      const written = error.partial?.text ?? '';
      // A stopped answer stays in the conversation, a failed one does not.
      this.messages =
        error.code === 'aborted' && written !== ''
          ? [...asked, { role: 'assistant', content: written }]
          : before;
      this.#terminal.freshLine();
      this.#terminal.note(
        error.code === 'aborted' ? this.#terminal.paint.dim('stopped') : this.#failure(error),
      );
      this.failed = error.code !== 'aborted';
    } finally {
      this.#run = undefined;
    }
  }

  async #show(run: ToolRun): Promise<void> {
    const { paint } = this.#terminal;
    const painter = new MarkdownPainter(paint, (text) => this.#terminal.say(text));
    let thinking = false;
    const endThinking = (): void => {
      if (!thinking) return;
      thinking = false;
      this.#terminal.murmur('\n\n');
    };
    for await (const event of run) {
      if (event.type === 'thinking-delta') {
        if (!this.thinkingShown) this.#terminal.status('thinking …');
        else {
          if (!thinking && !paint.on) this.#terminal.murmur('(thinking) ');
          thinking = true;
          this.#terminal.murmur(paint.dim(harmless(event.text)));
        }
        continue;
      }
      endThinking();
      if (event.type === 'text-delta') painter.push(harmless(event.text));
      else {
        if (event.type === 'tool-start' || event.type === 'done') painter.end();
        this.#tell(event);
      }
    }
    painter.end();
  }

  #tell(event: ToolRunEvent): void {
    const { paint } = this.#terminal;
    switch (event.type) {
      case 'queued':
        this.#terminal.status(`in line: ${event.position} of ${event.of} …`);
        break;
      case 'loading':
        this.#terminal.status(`loading ${event.model} … ${(event.elapsedMs / 1_000).toFixed(0)} s`);
        break;
      case 'tool-start':
        this.#terminal.note(paint.dim(`→ ${event.name} ${short(event.arguments)}`));
        break;
      case 'tool-result': {
        const mark = event.outcome === 'ok' ? paint.good('✓') : paint.bad('✗');
        this.#terminal.note(`${mark} ${paint.dim(`${event.name}: ${short(event.content)}`)}`);
        this.#terminal.status('waiting …');
        break;
      }
      default:
    }
  }

  async #approve(name: string, args: unknown): Promise<boolean | { approved: boolean; reason: string }> {
    const { paint } = this.#terminal;
    this.#terminal.note(`The model wants to run ${paint.bold(name)} ${short(args)}`);
    const stopped = new Promise<undefined>((resolve) => {
      this.#asking.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const said = await Promise.race([this.#terminal.line('Allow it? [y/N] '), stopped]);
    return /^y(?:es)?$/i.test(said?.trim() ?? '') || { approved: false, reason: 'they said no' };
  }

  #can(what: string): boolean {
    return this.models.find(({ name }) => name === this.model)?.capabilities.includes(what) ?? false;
  }

  #failure(error: ZiggieError): string {
    const hints: Partial<Record<string, string>> = {
      model_not_found: `Pull it: /pull ${this.model}, or choose another: /models`,
      connect_failed: 'Start it with: ollama serve',
      out_of_memory: 'Choose a smaller model: /models',
      context_overflow: 'Begin anew: /clear',
    };
    const hint = hints[error.code] ?? (error.retryable ? 'Try again: /retry' : undefined);
    const { bad, dim } = this.#terminal.paint;
    return `${bad('✗')} ${harmless(error.message)}${hint === undefined ? '' : `\n  ${dim(hint)}`}`;
  }
}

/** "stand-in · 42 tokens · 38.1 tokens/s · first after 0.12 s · 1.3 s" */
export function statsLine(
  model: string,
  tokens: number | undefined,
  { decodeMs, ttftMs }: { decodeMs?: number | undefined; ttftMs?: number | undefined },
  elapsedMs: number,
): string {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 0)} s`;
  return [
    model,
    ...(tokens === undefined ? [] : [`${tokens} token${tokens === 1 ? '' : 's'}`]),
    ...(tokens !== undefined && decodeMs !== undefined && decodeMs > 0
      ? [`${((tokens * 1_000) / decodeMs).toFixed(1)} tokens/s`]
      : []),
    ...(ttftMs === undefined ? [] : [`first after ${seconds(ttftMs)}`]),
    seconds(elapsedMs),
  ].join(' · ');
}

function short(value: unknown): string {
  const text = harmless(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).replace(
    /\s+/g,
    ' ',
  );
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
