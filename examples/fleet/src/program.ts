import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/** How a program of the fleet is run. */
export interface ProgramOptions {
  name: string;
  command: string;
  args: readonly string[];
  /** All that it sees of the environment, besides PATH. Secrets come this way, never as arguments. */
  env?: Readonly<Record<string, string>>;
  /** Written to its standard input, which then ends. */
  input?: string;
  /** Whether it can be used now. */
  isReady: () => Promise<boolean>;
}

export type ProgramState = 'stopped' | 'starting' | 'up' | 'killed';

const readyWithinMs = 30_000;
const stopWithinMs = 3000;

/** One process: started, killed as if the machine had lost power, started again, stopped in good order. */
export class Program {
  readonly name: string;
  readonly #options: ProgramOptions;
  #child: ChildProcess | undefined;
  #state: ProgramState = 'stopped';
  #lastWords = '';
  /** Resolves when the last process is really gone, and its port with it. */
  #gone: Promise<unknown> = Promise.resolve();

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get state(): ProgramState {
    return this.#state;
  }

  /**
   * Resolves once it can be used. Does nothing when it runs already.
   *
   * @throws {Error} with its last words when it ends instead, or is not ready within 30 s.
   */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const { name, command, args, env, input, isReady } = this.#options;
    this.#state = 'starting';
    await this.#gone;
    if (this.#child !== undefined) return;
    const child = spawn(command, args, { env: { PATH: process.env['PATH'], ...env } });
    this.#child = child;
    this.#lastWords = '';
    this.#gone = new Promise((resolve) => child.once('close', resolve));
    child.on('error', (error) => this.#ended(child, error.message));
    child.on('close', () => this.#ended(child));
    child.stdout.resume();
    child.stderr.on('data', (data: Buffer) => {
      this.#lastWords = (this.#lastWords + data.toString()).slice(-1000);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const givesUpAt = Date.now() + readyWithinMs;
    while (!(await isReady())) {
      // Killed or stopped by somebody meanwhile: that is no failure of its own.
      if (this.#child !== child && this.state !== 'stopped') return;
      if (this.#child !== child) throw new Error(`${name} did not start. ${this.#lastWords}`);
      if (Date.now() > givesUpAt) throw new Error(`${name} was not ready within 30 s. ${this.#lastWords}`);
      await pause(40);
    }
    if (this.#child === child) this.#state = 'up';
  }

  /** Ends it at once, whatever it was doing. */
  kill(): void {
    if (this.#child === undefined) return;
    this.#state = 'killed';
    this.#child.kill('SIGKILL');
    this.#child = undefined;
  }

  /** Asks it to end, and ends it after 3 s. Resolves when it is gone. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGTERM');
    const impatient = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
    await this.#gone;
    clearTimeout(impatient);
  }

  #ended(child: ChildProcess, words = ''): void {
    this.#lastWords += words;
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#state = 'stopped';
  }
}
