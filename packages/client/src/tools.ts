export { OutputError, type OutputIssue } from './errors/output-error.ts';
export { ToolError } from './errors/tool-error.ts';
export { object } from './object/object.ts';
export type {
  DeepPartial,
  FailedTry,
  ObjectOptions,
  ObjectRequest,
  ObjectResult,
  ObjectStream,
} from './object/types.ts';
export type { InputOf, OutputOf, SchemaIssue, StandardSchema, Validated } from './schema/standard-schema.ts';
export {
  type CheckedToolDefinition,
  defineTool,
  type PlainToolDefinition,
} from './tools/define-tool.ts';
export { runTools } from './tools/run-tools.ts';
export { type TurnToolsOptions, turnTools } from './tools/turn-tools.ts';
export type {
  Approval,
  Tool,
  ToolApprovalEvent,
  ToolContext,
  ToolInvocation,
  ToolOutcome,
  ToolResultEvent,
  ToolRun,
  ToolRunEvent,
  ToolRunOptions,
  ToolRunRequest,
  ToolRunResult,
  ToolStartEvent,
} from './tools/types.ts';
