import { isZiggieError } from '@ziggie/llm-client';
import { createAdmin } from '@ziggie/llm-client/admin';
import { builtInTemplates, createTemplateRegistry } from '@ziggie/llm-client/templates';
import { harmless } from './paint.ts';
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

export interface Command {
  name: string;
  takes?: string;
  says: string;
  /** @returns `'leave'` to end the program. */
  run(
    argument: string,
    session: Session,
    terminal: Terminal,
  ): Promise<'leave' | undefined> | 'leave' | undefined;
}

const templates = createTemplateRegistry(builtInTemplates);

export const commands: readonly Command[] = [
  {
    name: 'help',
    says: 'what can be said',
    run(_, __, terminal) {
      for (const { name, takes = '', says } of commands) {
        terminal.note(
          `  ${terminal.paint.bold(`/${name}`)} ${takes.padEnd(18 - name.length)} ${terminal.paint.dim(says)}`,
        );
      }
      terminal.note(
        terminal.paint.dim(
          '  Ctrl-C stops an answer; when none is written, twice leaves. A line may end with \\ to go on.',
        ),
      );
      return undefined;
    },
  },
  {
    name: 'models',
    says: 'which models there are',
    async run(_, session, terminal) {
      session.models = await session.client.models.list();
      if (session.models.length === 0) terminal.note('None yet. Get one: /pull llama3.2');
      for (const [at, model] of session.models.entries()) {
        const mark = model.name === session.model ? terminal.paint.good('●') : ' ';
        const about = [
          model.parameterSize,
          model.quantization,
          model.loaded ? 'in memory' : '',
          model.capabilities.join(', '),
        ];
        terminal.note(
          `${mark} ${String(at + 1).padStart(2)} ${model.name.padEnd(28)} ${terminal.paint.dim(about.filter(Boolean).join(' · '))}`,
        );
      }
      return undefined;
    },
  },
  {
    name: 'model',
    takes: 'NAME|NUMBER',
    says: 'talk to another model from here on',
    async run(wanted, session, terminal) {
      session.models = await session.client.models.list();
      const model =
        session.models[Number(wanted) - 1] ??
        session.models.find(({ name }) => name === wanted || name === `${wanted}:latest`);
      if (model) session.model = model.name;
      terminal.note(
        model
          ? `Now ${session.model}.`
          : `There is no model "${wanted}". /models lists them, /pull gets one.`,
      );
      return undefined;
    },
  },
  {
    name: 'pull',
    takes: 'NAME',
    says: 'download a model',
    async run(name, session, terminal) {
      if (name === '') return note(terminal, 'Which one? /pull llama3.2');
      for await (const { status, fraction, bytesPerSecond } of createAdmin(session.client).pull(name)) {
        const done = fraction === null ? '' : ` ${(fraction * 100).toFixed(0)} %`;
        const speed = bytesPerSecond === null ? '' : `, ${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
        terminal.status(`${harmless(status)}${done}${speed}`);
      }
      session.models = await session.client.models.list();
      return note(terminal, `${name} is here. Talk to it: /model ${name}`);
    },
  },
  {
    name: 'system',
    takes: 'TEXT',
    says: 'tell the model about its job; without a text, nothing',
    run(text, session, terminal) {
      session.system = text === '' ? undefined : text;
      return note(
        terminal,
        text === '' ? 'The model is told nothing.' : 'The model is told so from here on.',
      );
    },
  },
  {
    name: 'use',
    takes: 'TEMPLATE TEXT',
    says: `ask with a prepared prompt: ${templates
      .list()
      .filter(takesOneText)
      .map(({ name }) => name)
      .join(', ')}`,
    async run(argument, session, terminal) {
      const [, name = '', text = ''] = /^(\S+)\s*([\s\S]*)$/.exec(argument) ?? [];
      const template = templates
        .list()
        .filter(takesOneText)
        .find((one) => one.name === name);
      if (!template || text === '') return note(terminal, 'Say it like this: /use summarise The text …');
      const [variable = ''] = needed(template);
      const messages = template.render({ [variable]: text } as never);
      await session.ask(messages.map(({ content }) => content).join('\n\n'));
      return undefined;
    },
  },
  {
    name: 'tools',
    takes: 'on|off',
    says: 'whether the model may call get_time, calculate and save_note',
    run(wanted, session, terminal) {
      if (wanted !== '') session.toolsOn = wanted === 'on';
      return note(terminal, `Tools are ${session.toolsOn ? 'on' : 'off'}.`);
    },
  },
  {
    name: 'thinking',
    takes: 'on|off',
    says: 'whether thinking is shown',
    run(wanted, session, terminal) {
      if (wanted !== '') session.thinkingShown = wanted === 'on';
      return note(terminal, `Thinking is ${session.thinkingShown ? 'shown' : 'hidden'}.`);
    },
  },
  {
    name: 'retry',
    says: 'ask the last question again',
    async run(_, session, terminal) {
      const question = session.takeBack();
      if (question === undefined) return note(terminal, 'Nothing was asked yet.');
      await session.ask(question);
      return undefined;
    },
  },
  {
    name: 'history',
    says: 'what was said',
    run(_, session, terminal) {
      if (session.messages.length === 0) return note(terminal, 'Nothing was said yet.');
      for (const { role, content } of session.messages) {
        if (content !== '') terminal.note(`${terminal.paint.accent(role)} ${harmless(content)}`);
      }
      return undefined;
    },
  },
  {
    name: 'clear',
    says: 'begin a new conversation',
    run(_, session, terminal) {
      session.messages = [];
      return note(terminal, 'A new conversation.');
    },
  },
  { name: 'exit', says: 'leave (also Ctrl-D)', run: () => 'leave' },
];

/** @returns `'leave'` to end the program. A failure is told, and the program goes on. */
export async function runCommand(
  line: string,
  session: Session,
  terminal: Terminal,
): Promise<'leave' | undefined> {
  const [, name = '', argument = ''] = /^\/(\S*)\s*([\s\S]*)$/.exec(line) ?? [];
  const command = commands.find((one) => one.name === (name === 'quit' ? 'exit' : name));
  if (!command) return note(terminal, `There is no /${harmless(name)}. /help lists what there is.`);
  try {
    return await command.run(argument.trim(), session, terminal);
  } catch (error) {
    if (!isZiggieError(error)) throw error;
    return note(terminal, `${terminal.paint.bad('✗')} ${harmless(error.message)}`);
  }
}

function note(terminal: Terminal, text: string): undefined {
  terminal.note(text);
}

interface Needs {
  variables: readonly string[];
  defaults: Readonly<Record<string, string>>;
}

function needed({ variables, defaults }: Needs): string[] {
  return variables.filter((name) => !Object.hasOwn(defaults, name));
}

function takesOneText(template: Needs): boolean {
  return needed(template).length === 1;
}
