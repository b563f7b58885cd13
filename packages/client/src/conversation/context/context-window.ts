import type { ChatMessage, Usage } from '@ziggie/llm-protocol';
import type { MessageNode } from '../message.ts';
import type { ContextCut, ContextPort, ContextReport, ContextRequest, FittedContext } from '../ports.ts';
import { decideCut } from './decide-cut.ts';
import { Calibration, tokensOfMessage, tokensOfText, tokensOfTools } from './estimate.ts';

/** What is to be summarised. */
export interface SummaryRequest {
  /** What the model will not read any more, since the summary before. */
  readonly messages: readonly ChatMessage[];
  /** Of what was cut earlier; to be carried on in the new one. */
  readonly summary: string | undefined;
  readonly model: string;
  readonly signal: AbortSignal;
}

/** Settings of {@link createContextWindow}. */
export interface ContextWindowOptions {
  /**
   * How many tokens the model reads and writes together: what the server runs it with (`num_ctx`), which is often far less
   * than what the model could. A function is asked per model; where it knows nothing, everything is sent.
   */
  windowTokens: number | ((model: string) => number | undefined);
  /** Room for the answer. Default: a quarter of the window, 2,048 at most. */
  reserveTokens?: number | undefined;
  /** Sums up what is cut, see `summarizeWith`. One that fails costs the summary, not the turn. Default: nothing stands for it. */
  summarize?: ((request: SummaryRequest) => Promise<string>) | undefined;
}

const MAX_RESERVE_TOKENS = 2048;
/** From here on the answer ran into the end of the window. */
const FULL_SHARE = 0.98;
/** A server that counts less than this part of what was sent has cut it without a word, as Ollama does with `truncate`. */
const SILENT_CUT_SHARE = 0.6;

/**
 * Keeps a conversation within the model's window: oldest turns are left out, much at once and seldom, so that the server's
 * prompt cache stays useful; the system prompt always goes along. Token counts are estimated from the text and corrected by
 * what the server counts, per model. One object may serve many conversations and then learns from all of them.
 *
 * @throws {TypeError} when the window is not a positive number.
 */
export function createContextWindow(options: ContextWindowOptions): ContextPort {
  const { windowTokens, reserveTokens, summarize } = options;
  if (typeof windowTokens === 'number' && !(windowTokens > 0)) {
    throw new TypeError('Creating a context window: windowTokens must be a number above 0.');
  }
  const calibration = new Calibration();
  const sizes = new WeakMap<MessageNode, number>();
  /** What was sent by the uncorrected estimate, and whether it teaches anything about text. */
  const sent = new WeakMap<FittedContext, { rough: number; window: number; hasImages: boolean }>();

  const windowOf = (model: string): number | undefined =>
    typeof windowTokens === 'number' ? windowTokens : windowTokens(model);

  function sizeOf({ node, messages }: ContextRequest['branch'][number]): number {
    // An answer in progress is sent with more than its node alone would be.
    if (node.end === undefined && node.role === 'assistant') return sizeOfAll(messages);
    let size = sizes.get(node);
    if (size === undefined) {
      size = sizeOfAll(messages);
      sizes.set(node, size);
    }
    return size;
  }

  async function withSummary(request: ContextRequest, from: number, to: number): Promise<string | undefined> {
    const before = request.cut?.summary;
    if (summarize === undefined) return before;
    const messages = request.branch.slice(from, to).flatMap((part) => part.messages);
    try {
      return (
        (await summarize({ messages, summary: before, model: request.model, signal: request.signal })) ||
        before
      );
    } catch (error) {
      if (request.signal.aborted) throw error;
      return before;
    }
  }

  function fitted(
    request: ContextRequest,
    first: number,
    summary: string | undefined,
    trimmed: boolean,
  ): FittedContext {
    const { branch, system, model, tools } = request;
    const window = windowOf(model) ?? Infinity;
    const messages = [
      ...systemMessages(system, summary),
      ...branch.slice(first).flatMap((part) => part.messages),
    ];
    const rough = sizeOfAll(messages) + tokensOfTools(tools);
    const estimatedTokens = Math.ceil(rough * calibration.factor(model));
    const cut: ContextCut | null =
      first === 0
        ? null
        : { firstId: branch[first]?.node.id ?? '', ...(summary !== undefined && { summary }) };
    const report: ContextReport = {
      windowTokens: window,
      estimatedTokens,
      droppedMessages: first,
      trimmed,
      summarized: first > 0 && summary !== undefined,
      contextFull: estimatedTokens > window - reserveOf(window, reserveTokens),
    };
    const result = { messages, cut: sameCut(cut, request.cut) ? request.cut : cut, report };
    sent.set(result, { rough, window, hasImages: messages.some(({ images }) => images !== undefined) });
    return result;
  }

  return {
    fit(request) {
      const { branch, model, cut, system, tools } = request;
      const window = windowOf(model);
      const before = cut === null ? -1 : branch.findIndex(({ node }) => node.id === cut.firstId);
      const first = Math.max(0, before);
      const summary = first > 0 ? cut?.summary : undefined;
      if (window === undefined) return fitted({ ...request, cut: null }, 0, undefined, false);
      const factor = calibration.factor(model);
      const decision = decideCut({
        sizes: branch.map((part) => sizeOf(part) * factor),
        mayBegin: branch.map(({ node }) => node.role === 'user'),
        fixed: (sizeOfAll(systemMessages(system, summary)) + tokensOfTools(tools)) * factor,
        budget: window - reserveOf(window, reserveTokens),
        first,
      });
      if (decision.first <= first)
        return fitted(request, decision.first, decision.first > 0 ? summary : undefined, false);
      const known = first > 0 ? request : { ...request, cut: null };
      if (summarize === undefined) return fitted(known, decision.first, summary, true);
      return withSummary(known, first, decision.first).then((text) =>
        fitted(request, decision.first, text, true),
      );
    },
    learn(context, model, usage: Usage) {
      const { report } = context;
      const what = sent.get(context);
      if (report === null || what === undefined) return report;
      const expected = what.rough * calibration.factor(model);
      const isCounted = usage.source === 'upstream';
      const cutSilently =
        isCounted && usage.inputTokens < expected * SILENT_CUT_SHARE && expected > what.window / 2;
      if (!what.hasImages && !cutSilently) calibration.learn(model, what.rough, usage);
      const full = usage.inputTokens + usage.outputTokens >= what.window * FULL_SHARE;
      return {
        ...report,
        ...(isCounted && { countedTokens: usage.inputTokens }),
        contextFull: report.contextFull || full || cutSilently,
      };
    },
  };
}

function systemMessages(system: string | undefined, summary: string | undefined): ChatMessage[] {
  const parts = [system ?? '', summary === undefined ? '' : `The conversation before, in short:\n${summary}`];
  const content = parts.filter((part) => part !== '').join('\n\n');
  return content === '' ? [] : [{ role: 'system', content }];
}

function sizeOfAll(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, message) => sum + tokensOfMessage(message), 0);
}

function reserveOf(window: number, reserve: number | undefined): number {
  return reserve ?? Math.min(MAX_RESERVE_TOKENS, window / 4);
}

function sameCut(one: ContextCut | null, other: ContextCut | null): boolean {
  return one?.firstId === other?.firstId && one?.summary === other?.summary;
}

/** Tokens of a text by the rule that windows are filled by, before any correction. */
export const estimateTokens = (text: string): number => Math.ceil(tokensOfText(text));
