export {
  answerFrom,
  brainstorm,
  builtInTemplates,
  classify,
  explainCode,
  extract,
  meetingNotes,
  reply,
  reviewCode,
  rewrite,
  summarise,
  translate,
} from './templates/built-in.ts';
export {
  type AnyTemplate,
  defineTemplate,
  type Template,
  type TemplateDefinition,
  type ValuesOf,
  type VariablesIn,
} from './templates/define-template.ts';
export { createTemplateRegistry, type TemplateRegistry } from './templates/registry.ts';
