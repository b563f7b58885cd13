import { createInterface, type Interface } from 'node:readline';
import { createPaint, type Paint } from './paint.ts';

/** Where it all comes from and goes to. */
export interface Streams {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  notes: NodeJS.WriteStream;
}

/**
 * Lines in, text out. Answers go to `output`, everything about them to `notes`: with a pipe behind it only the answers
 * are passed on.
 */
export class Terminal {
  readonly paint: Paint;
  readonly isTerminal: boolean;
  readonly #streams: Streams;
  readonly #lines: string[] = [];
  #readline: Interface | undefined;
  #waiting: ((line: string | undefined) => void) | undefined;
  #closed = false;
  #status = false;
  #atLineStart = true;
  onInterrupt = (): void => {};

  constructor(streams: Streams, env: Readonly<Record<string, string | undefined>>) {
    this.#streams = streams;
    this.isTerminal = streams.input.isTTY === true && streams.output.isTTY === true;
    this.paint = createPaint(streams.output.isTTY === true, env);
    process.on('SIGINT', () => this.onInterrupt());
  }

  /** Starts reading lines. `complete` gives the ways a line can go on. */
  open(complete: (line: string) => string[]): void {
    const { input, notes } = this.#streams;
    const readline = createInterface({
      input,
      ...(this.isTerminal ? { output: notes } : {}),
      terminal: this.isTerminal,
      completer: (line: string) => [complete(line), line],
    });
    readline.on('line', (line) => this.#take(line));
    readline.on('close', () => {
      this.#closed = true;
      this.#take(undefined);
    });
    readline.on('SIGINT', () => this.onInterrupt());
    this.#readline = readline;
  }

  /** The next line, or `undefined` when there are no more. Lines that were typed ahead come first. */
  async line(prompt: string): Promise<string | undefined> {
    const ready = this.#lines.shift();
    if (ready !== undefined) return ready;
    if (this.#closed) return undefined;
    this.freshLine();
    if (this.isTerminal) {
      this.#readline?.setPrompt(prompt);
      this.#readline?.prompt();
    }
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** A piece of an answer. */
  say(text: string): void {
    this.status();
    this.#streams.output.write(text);
    if (text !== '') this.#atLineStart = text.endsWith('\n');
  }

  /** A line about it. */
  note(text: string): void {
    this.freshLine();
    this.#streams.notes.write(`${text}\n`);
  }

  /** A piece of text about it, such as thinking. */
  murmur(text: string): void {
    this.status();
    this.#streams.notes.write(text);
    if (text !== '') this.#atLineStart = text.endsWith('\n') && this.isTerminal;
  }

  /** One line that the next output wipes out; only on a terminal. Without text it is wiped out. */
  status(text?: string): void {
    if (!this.isTerminal) return;
    if (this.#status) this.#streams.notes.write('\r\x1b[K');
    this.#status = text !== undefined;
    if (text !== undefined) this.#streams.notes.write(this.paint.dim(text));
  }

  freshLine(): void {
    this.status();
    if (!this.#atLineStart) this.#streams.output.write('\n');
    this.#atLineStart = true;
  }

  close(): void {
    this.#readline?.close();
  }

  #take(line: string | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(line);
    else if (line !== undefined) this.#lines.push(line);
  }
}
