import { parseArgs } from 'node:util';
import { type StartFakeOllamaOptions, startFakeOllama } from './server.ts';

const usage = `ziggie-fake-ollama: a stand-in for Ollama. It answers with prepared texts, without a GPU.

  --port <number>               default 11434; 0 is any free port
  --host <address>              default 127.0.0.1
  --models <a,b>                default stand-in,stand-in-thinking,stand-in-vision,stand-in-embed
  --tokens-per-second <number>  default 40
  --load-ms <number>            how long a model takes to load, default 0
  --slots <number>              answers at once for each model, default 1
  --help                        this text
`;

/** Where the command writes. */
export interface CommandOutput {
  out(text: string): void;
  err(text: string): void;
}

/** A command that is running, or that has ended at once with an exit code. */
export type CommandResult = { exitCode: number } | { exitCode: undefined; close: () => Promise<void> };

/** Runs `ziggie-fake-ollama`. Wrong flags and a taken port give a message and exit code 1. */
export async function runCommand(args: readonly string[], output: CommandOutput): Promise<CommandResult> {
  let options: StartFakeOllamaOptions | 'help';
  try {
    options = readFlags(args);
  } catch (cause) {
    output.err(`ziggie-fake-ollama: ${cause instanceof Error ? cause.message : cause}\nSee --help.\n`);
    return { exitCode: 1 };
  }
  if (options === 'help') {
    output.out(usage);
    return { exitCode: 0 };
  }
  try {
    const server = await startFakeOllama(options);
    output.out(`Stand-in for Ollama at ${server.url} (prepared texts, no model). Ctrl-C ends it.\n`);
    return { exitCode: undefined, close: () => server.close() };
  } catch (cause) {
    output.err(`ziggie-fake-ollama: ${explain(cause, options)}\n`);
    return { exitCode: 1 };
  }
}

function readFlags(args: readonly string[]): StartFakeOllamaOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '11434' },
      host: { type: 'string', default: '127.0.0.1' },
      models: { type: 'string' },
      'tokens-per-second': { type: 'string' },
      'load-ms': { type: 'string' },
      slots: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const number = (flag: 'tokens-per-second' | 'load-ms' | 'slots', least: number) => {
    const text = values[flag];
    if (text === undefined) return undefined;
    return atLeast(flag, text, least);
  };
  const slots = number('slots', 1);
  if (slots !== undefined && !Number.isInteger(slots)) {
    throw new Error(`--slots takes a whole number, not "${values.slots}".`);
  }
  const port = atLeast('port', values.port, 0);
  if (!Number.isInteger(port) || port > 65_535)
    throw new Error(`--port takes 0 to 65535, not "${values.port}".`);
  return {
    port,
    host: values.host,
    models: values.models?.split(',').map((name) => name.trim()),
    tokensPerSecond: number('tokens-per-second', 0.001),
    loadMs: number('load-ms', 0),
    slotsPerModel: slots,
  };
}

function atLeast(flag: string, text: string, least: number): number {
  const value = Number(text);
  // Number('') is 0.
  if (text.trim() === '' || Number.isNaN(value) || value < least) {
    throw new Error(`--${flag} takes a number of at least ${least}, not "${text}".`);
  }
  return value;
}

function explain(cause: unknown, options: StartFakeOllamaOptions): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') {
    return `port ${options.port} at ${options.host} is taken. Is Ollama running there? Choose another with --port.`;
  }
  if (code === 'EACCES') return `port ${options.port} needs more rights. Choose one above 1023 with --port.`;
  return cause instanceof Error ? cause.message : String(cause);
}
