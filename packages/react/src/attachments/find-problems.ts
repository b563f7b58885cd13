import { estimateTokens } from '@ziggie/llm-client/conversation';
import type { ModelInfo } from '@ziggie/llm-protocol';
import type { PendingAttachment } from '../composer/composer-store.ts';

/** Why a draft should not go to this model as it is, and one click that mends it. */
export interface DraftProblem {
  readonly kind: 'no-vision' | 'no-tools' | 'too-long' | 'text-too-long';
  /** A model that can, when there is one; otherwise the files have to go. `null`: only the reader can, by fewer words. */
  readonly mendBy: { readonly model: string } | { readonly remove: readonly string[] } | null;
  /** Of those that are too long: roughly what the draft takes, and what the model can read. */
  readonly tokens?: number | undefined;
  readonly contextTokens?: number | undefined;
}

/** What a draft asks of a model besides its files. */
export interface DraftNeeds {
  readonly text?: string | undefined;
  /** Whether tools go along. */
  readonly tools?: boolean | undefined;
}

/** Part of a model's context that a draft may fill; the rest is for the conversation and the answer. */
const USABLE = 0.9;

/**
 * Checks a draft against a model before anything is sent. A model of which nothing is known passes: its server has the last
 * word.
 */
export function findProblems(
  attachments: readonly PendingAttachment[],
  model: ModelInfo | undefined,
  models: readonly ModelInfo[],
  { text = '', tools = false }: DraftNeeds = {},
): DraftProblem[] {
  if (model === undefined) return [];
  const problems: DraftProblem[] = [];
  const images = attachments.filter(({ attachment }) => attachment?.kind === 'image');
  const other = (fits: (one: ModelInfo) => boolean): string | undefined => {
    const fitting = models.filter((one) => one.name !== model.name && fits(one));
    // One in memory answers at once.
    return (fitting.find(({ loaded }) => loaded !== null) ?? fitting[0])?.name;
  };
  const mend = (name: string | undefined, files: readonly PendingAttachment[]): DraftProblem['mendBy'] =>
    name === undefined ? { remove: files.map(({ id }) => id) } : { model: name };
  if (images.length > 0 && model.capabilities.length > 0 && !sees(model)) {
    problems.push({ kind: 'no-vision', mendBy: mend(other(sees), images) });
  }
  const files = attachments.filter(({ attachment }) => attachment?.kind === 'file');
  const tokens = files.reduce((sum, { attachment }) => sum + tokensOf(attachment), 0);
  if (tools && model.capabilities.length > 0 && !usesTools(model)) {
    const able = other((one) => usesTools(one) && (images.length === 0 || sees(one)));
    // Without another model only the server can tell what becomes of it.
    if (able !== undefined) problems.push({ kind: 'no-tools', mendBy: { model: able } });
  }
  const { contextLength } = model;
  // A letter is hardly ever more than a token: short drafts are not counted.
  if (contextLength !== null && tokens === 0 && text.length > contextLength * USABLE) {
    const long = Math.ceil(estimateTokens(text));
    const able = other((one) => long <= (one.contextLength ?? 0) * USABLE);
    if (long > contextLength * USABLE) {
      problems.push({
        kind: 'text-too-long',
        mendBy: able === undefined ? null : { model: able },
        tokens: long,
        contextTokens: contextLength,
      });
    }
  }
  if (contextLength !== null && tokens > contextLength * USABLE) {
    const holds = (one: ModelInfo) => tokens <= (one.contextLength ?? 0) * USABLE;
    const fits = (one: ModelInfo) => holds(one) && (images.length === 0 || sees(one));
    problems.push({
      kind: 'too-long',
      mendBy: mend(other(fits), files),
      tokens,
      contextTokens: contextLength,
    });
  }
  return problems;
}

function sees({ capabilities }: ModelInfo): boolean {
  return capabilities.includes('vision');
}

function usesTools({ capabilities }: ModelInfo): boolean {
  return capabilities.includes('tools');
}

function tokensOf(attachment: PendingAttachment['attachment']): number {
  return attachment?.kind === 'file' ? Math.ceil(estimateTokens(attachment.text)) : 0;
}
