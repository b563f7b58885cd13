import type { StreamEventBody } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import { KitFailure } from '../failure.ts';
import {
  type ContentBody,
  type ContentFacts,
  type ContentOptions,
  ContentRefused,
} from './content-options.ts';
import { detectors, type RedactKind, redactKinds } from './detectors.ts';
import { mapTexts } from './json-text.ts';
import { OutputFilter } from './output-filter.ts';
import { PatternGuard, type Rule } from './pattern-guard.ts';
import { phraseDetector } from './phrase.ts';
import type { TextGuard } from './text-guard.ts';
import { WindowGuard } from './window-guard.ts';

/** Longest time that a hook may take, in ms. */
const hookMs = 5000;
const defaultWindow = 200;

/** Passes an answer's events on as far as they may go. */
export interface AnswerFilter {
  apply(events: readonly StreamEventBody[]): StreamEventBody[];
}

/** What the operator wants of content, made ready once. */
export class Content {
  readonly #options: ContentOptions;
  readonly #input: readonly Rule[];
  readonly #output: readonly Rule[];
  readonly #clock: Clock;

  /** @throws {TypeError} for a phrase that is none. */
  constructor(options: ContentOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const phrases: Rule[] = (options.blockedPhrases ?? []).map((phrase) => ({
      detector: phraseDetector(phrase),
      label: undefined,
    }));
    this.#input = [...phrases, ...rulesOf(options.redact?.input)];
    this.#output = [...phrases, ...rulesOf(options.redact?.output)];
  }

  /**
   * The body as it may go to the model.
   *
   * @param check Checks a body that a hook has made, like one of a caller.
   * @throws {KitFailure} `content_blocked`, and `internal_error` when a hook fails.
   */
  async input(
    body: ContentBody,
    facts: ContentFacts,
    check: (value: unknown) => ContentBody,
  ): Promise<ContentBody> {
    const { before } = this.#options;
    let checked = body;
    if (before) {
      const changed = await this.#inTime(async () => before(structuredClone(body), facts));
      if (changed !== undefined) checked = check(JSON.parse(JSON.stringify(changed)));
    }
    return this.#input.length === 0 ? checked : this.#clean(checked);
  }

  /** What an answer goes through; `undefined` when nothing is asked of it. */
  output(facts: ContentFacts): AnswerFilter | undefined {
    const { after } = this.#options;
    const rules = this.#output;
    if (rules.length === 0 && !after) return undefined;
    return new OutputFilter((channel) => {
      const guards: TextGuard[] = [];
      if (after) {
        const rewrite = (text: string, isLast: boolean) =>
          guarded(() => after.rewrite(text, { ...facts, channel, isLast }));
        guards.push(new WindowGuard(rewrite, after.windowCharacters ?? defaultWindow));
      }
      // Last, so that nothing a hook writes slips past.
      if (rules.length > 0) guards.push(new PatternGuard(rules));
      return guards;
    });
  }

  #clean(body: ContentBody): ContentBody {
    const whole = (text: string) => {
      const guard = new PatternGuard(this.#input);
      return guard.push(text) + guard.flush();
    };
    if ('messages' in body) {
      return {
        ...body,
        messages: body.messages.map((message) => ({
          ...message,
          content: whole(message.content),
          ...(message.thinking === undefined ? {} : { thinking: whole(message.thinking) }),
          ...(message.tool_calls === undefined
            ? {}
            : { tool_calls: mapTexts(message.tool_calls, whole) as NonNullable<typeof message.tool_calls> }),
        })),
      };
    }
    const { prompt, system, suffix } = body;
    return {
      ...body,
      prompt: whole(prompt),
      system: system === undefined ? undefined : whole(system),
      suffix: suffix === undefined ? undefined : whole(suffix),
    };
  }

  async #inTime<T>(work: () => Promise<T>): Promise<T> {
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.setTimer(() => reject(hookFailed('content.before took more than 5 s')), hookMs);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (thrown) {
      throw hookFailure(thrown, 'content.before');
    } finally {
      cancel();
    }
  }
}

function rulesOf(kinds: readonly RedactKind[] | undefined): Rule[] {
  return redactKinds
    .filter((kind) => kinds?.includes(kind))
    .map((kind) => ({ detector: detectors[kind], label: `[${kind}]` }));
}

function guarded(rewrite: () => string): string {
  let text: unknown;
  try {
    text = rewrite();
  } catch (thrown) {
    throw hookFailure(thrown, 'content.after.rewrite');
  }
  if (typeof text !== 'string') throw hookFailed('content.after.rewrite gave no text');
  return text;
}

function hookFailure(thrown: unknown, name: string): KitFailure {
  if (thrown instanceof KitFailure) return thrown;
  if (thrown instanceof ContentRefused) {
    return new KitFailure('content_blocked', thrown.message, { reason: `refused by ${name}` });
  }
  return hookFailed(`${name} threw ${thrown instanceof Error ? thrown.name : typeof thrown}`);
}

function hookFailed(reason: string): KitFailure {
  return new KitFailure('internal_error', 'The server failed while it looked at the text.', { reason });
}
