import { text as readAll } from 'node:stream/consumers';
import { createModelChoice, isZiggieError } from '@ziggie/llm-client';
import { commands, runCommand } from './commands.ts';
import { connect, type Source } from './connect.ts';
import { type Options, readOptions, usage } from './options.ts';
import { Session } from './session.ts';
import { Terminal } from './terminal.ts';
import { createTools } from './tools.ts';

/** How long after a first Ctrl-C a second one leaves. */
const LEAVE_WITHIN_MS = 3_000;

async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const terminal = new Terminal(
    { input: process.stdin, output: process.stdout, notes: process.stderr },
    process.env,
  );
  const source = await connect(options.host ?? process.env['OLLAMA_HOST']);
  try {
    return await chat(options, terminal, source);
  } finally {
    terminal.close();
    await source.close();
  }
}

async function chat(options: Options, terminal: Terminal, source: Source): Promise<number> {
  const { client } = source;
  let session: Session;
  try {
    const models = await client.models.list();
    const [best] = await createModelChoice(client).candidates('chat');
    const model =
      named(
        models.map(({ name }) => name),
        options.model,
      ) ??
      options.model ??
      best;
    session = new Session(client, terminal, {
      model: model ?? '',
      models,
      tools: createTools('notes'),
      toolsOn: options.tools,
      thinkingShown: options.thinking,
      system: options.system,
    });
  } catch (error) {
    if (!isZiggieError(error)) throw error;
    terminal.note(`${terminal.paint.bad('✗')} ${error.message}`);
    return 1;
  }
  let interruptedAt = Number.NEGATIVE_INFINITY;
  terminal.onInterrupt = () => {
    const now = performance.now();
    const again = now - interruptedAt < LEAVE_WITHIN_MS;
    interruptedAt = now;
    if (session.busy && !again) session.stop();
    else if (again) process.exit(130);
    else terminal.note(terminal.paint.dim('Ctrl-C again leaves.'));
  };

  if (options.question !== undefined) {
    const piped = process.stdin.isTTY ? '' : await readAll(process.stdin);
    const question = piped.trim() === '' ? options.question : `${options.question}\n\n${piped}`;
    await session.ask(question);
    return session.failed ? 1 : 0;
  }
  return talk(terminal, session, source);
}

async function talk(terminal: Terminal, session: Session, source: Source): Promise<number> {
  const { paint } = terminal;
  terminal.open((line) => commands.map(({ name }) => `/${name}`).filter((name) => name.startsWith(line)));
  terminal.note(paint.dim(`This is ${source.label}.`));
  terminal.note(
    session.model === ''
      ? 'There is no model yet. Get one: /pull llama3.2'
      : paint.dim(`The model is ${session.model}. /help lists what can be said.`),
  );
  for (;;) {
    let line = await terminal.line(paint.accent('› '));
    while (line?.endsWith('\\'))
      line = `${line.slice(0, -1)}\n${(await terminal.line(paint.dim('… '))) ?? ''}`;
    if (line === undefined) break;
    if (line.trim() === '') continue;
    if (line.startsWith('/')) {
      if ((await runCommand(line, session, terminal)) === 'leave') break;
    } else await session.ask(line);
  }
  // In a pipe the last turn says how it went.
  return session.failed && !terminal.isTerminal ? 1 : 0;
}

function named(names: readonly string[], wanted: string | undefined): string | undefined {
  return names.find((name) => name === wanted || name === `${wanted}:latest`);
}

// A reader that left (head, less) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await main(process.argv.slice(2));
