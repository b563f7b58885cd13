/** What a command can reach. */
export interface CommandContext {
  readonly conversationId: string;
  /** What was typed after the name, without space around it; '' when nothing was. */
  readonly argument: string;
  /** Puts a text into the composer. */
  setText(text: string): void;
  /** Sends a message, or queues it while an answer is written. */
  send(text: string): void;
}

/** Something to do that is called by `/` and its name. */
export interface SlashCommand {
  /** Lower-case letters, digits and `-`, without the slash. One of ours with the same name is replaced. */
  readonly name: string;
  /** One short sentence. */
  readonly description: string;
  /** A rejection is announced in general words; show what you know yourself. */
  run(context: CommandContext): void | Promise<void>;
}
