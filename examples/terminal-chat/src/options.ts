import { parseArgs } from 'node:util';

/** What the command line says. */
export interface Options {
  host: string | undefined;
  model: string | undefined;
  system: string | undefined;
  /** One question, one answer; what is piped in goes along with it. */
  question: string | undefined;
  tools: boolean;
  thinking: boolean;
  help: boolean;
}

export const usage = `Chat with a local model in the terminal.

  terminal-chat                       talk; /help lists what else can be said
  terminal-chat "Explain this" < file one question about what is piped in, the answer on stdout
  printf 'Hi\\n/exit\\n' | terminal-chat one turn per line

  --model, -m NAME   which model; default: the best one for chat that is installed
  --host URL         where Ollama listens; default: OLLAMA_HOST, else 127.0.0.1:11434, else a stand-in
  --system, -s TEXT  what the model is told about its job
  --no-tools         the model may not call the tools of this program
  --no-thinking      do not show what the model thinks
  --help, -h         this text

NO_COLOR=1 turns colours off.`;

/** @throws {TypeError} with a message for people when an option does not exist. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: {
      host: { type: 'string' },
      model: { type: 'string', short: 'm' },
      system: { type: 'string', short: 's' },
      tools: { type: 'boolean', default: true },
      thinking: { type: 'boolean', default: true },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    host: values.host,
    model: values.model,
    system: values.system,
    question: positionals.length > 0 ? positionals.join(' ') : undefined,
    tools: values.tools,
    thinking: values.thinking,
    help: values.help,
  };
}
