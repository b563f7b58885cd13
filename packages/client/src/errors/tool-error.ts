import { ZiggieError, type ZiggieErrorDetails } from './ziggie-error.ts';

/** A run with tools cannot go on: `tool_loop` or `tool_failed`. */
export class ToolError extends ZiggieError {
  override readonly name = 'ToolError';
  /** The tool of the call that ended the run. */
  declare readonly toolName: string;
  declare readonly callId: string;

  constructor(
    code: 'tool_loop' | 'tool_failed',
    message: string,
    details: ZiggieErrorDetails & { toolName: string; callId: string },
  ) {
    super(code, message, details);
  }
}
