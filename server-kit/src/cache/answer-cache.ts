import type { StreamEventBody } from '@ziggie/llm-protocol';
import type { AnswerRun } from '../answer/answer-run.ts';
import { Run, type RunRequest } from '../answer/run.ts';
import type { RequestContext } from '../context.ts';
import type { Lease } from '../lease.ts';
import type { Meter } from '../limits/meter.ts';
import type { AnswerParts } from '../routes/answer-with.ts';
import type { Task } from '../routes/task.ts';
import { ownerKeyOf } from '../streams/owner-key.ts';
import { canonicalName } from '../upstream/model-name.ts';
import type { CacheCounts } from './cache-counts.ts';
import { type CacheScope, cacheKey, type ServedModel } from './cache-key.ts';
import type { CacheSettings } from './cache-options.ts';
import { type CacheTerms, cacheTerms } from './cache-policy.ts';
import { type CacheKey, type CachePurge, type CacheStore, isPurged } from './cache-store.ts';
import type { FollowerAsk } from './follower.ts';
import { Generation } from './generation.ts';
import { type KeptAnswer, keptAnswerOf, keptText } from './kept-answer.ts';
import type { Meaning, Meant } from './meaning.ts';
import { keptVectors, type VectorMemo, type Vectors } from './memo.ts';
import { type Question, questionOf } from './question.ts';
import { Replay } from './replay.ts';
import { Shelf } from './shelf.ts';

/** What the cache needs of the kit. */
export interface CacheParts {
  settings: CacheSettings;
  store: CacheStore;
  counts: CacheCounts;
  /** Finds questions that mean the same, where the operator wants that. */
  meaning: Meaning | undefined;
}

/** One request that has passed every check and every limit, and that a model would be asked now. */
export interface CacheAsk {
  parts: AnswerParts;
  task: Task;
  /** The model that answers, by its name on the upstreams. */
  model: string;
  /** `Cache-Control` of the request. */
  control: string | null;
  request: RunRequest;
  context: RequestContext;
  lease: Lease;
  meter: Meter | undefined;
  /** Tokens that its answer may have: less than was wanted is another question for those who wait for it. */
  maxTokens: number;
}

/** Whose answer it is, of which model, and under which name. */
interface Named {
  scope: CacheScope;
  model: ServedModel;
  key: CacheKey;
}

/** What a request stands for here. */
interface Wanted extends Named {
  question: Question;
  terms: CacheTerms;
}

/** An answer that is being written. */
interface Running {
  generation: Generation;
  key: CacheKey;
  /** The vectors that come of it, where it is some. */
  made: (() => Vectors) | undefined;
}

/** What is begun, and what becomes of it. */
interface Beginning {
  key: CacheKey;
  /** By which others find it. `undefined`: it is not shared. */
  name: string | undefined;
  /** Keeps a whole answer; `undefined`: it is not kept. */
  keep: ((events: readonly StreamEventBody[]) => Promise<void>) | undefined;
  made?: (() => Vectors) | undefined;
}

/** What was found of an answer. */
interface Looked {
  kept: KeptAnswer | undefined;
  /** To keep an answer; `undefined` when that cannot be. */
  ticket: string | undefined;
}

/** Gives a request the answer that is there already, or that is being written, or has it written and kept. */
export class AnswerCache {
  readonly #parts: CacheParts;
  readonly #shelf: Shelf;
  readonly #running = new Map<string, Running>();

  constructor(parts: CacheParts) {
    this.#parts = parts;
    this.#shelf = new Shelf(parts.settings, parts.store, parts.counts);
  }

  /** The answer to a request, from wherever it comes. A store that fails is as good as an empty one. @throws {KitFailure} */
  async run(ask: CacheAsk): Promise<AnswerRun> {
    const { memo } = ask.task;
    if (memo) return this.#vectors(ask, memo);
    const wanted = this.#wanted(ask);
    if (wanted === undefined) {
      this.#note(ask, 'bypass');
      return new Run(ask.parts, ask.request, ask.context, ask.lease);
    }
    const { terms, key } = wanted;
    const name = this.#sharedName(ask, key, terms);
    const early = this.#joined(name, ask);
    if (early) return early;
    const { kept, ticket } = await this.#look(key, terms);
    ask.context.mark('cache');
    if (kept) return this.#replay(ask, kept, 'hit');
    // Somebody may have begun meanwhile.
    let late = this.#joined(name, ask);
    let meant: Meant | undefined;
    if (!late && this.#parts.meaning && ticket !== undefined && terms.mayTake) {
      meant = await this.#parts.meaning.of(ask, wanted.scope, wanted.model, wanted.question);
      const near = meant && (await this.#near(meant, terms));
      ask.context.mark('meaning');
      if (near) return this.#replay(ask, near, 'semantic');
      late = this.#joined(name, ask);
    }
    if (late) return late;
    this.#note(ask, 'miss');
    const mayKeep = terms.mayKeep && ticket !== undefined;
    const keep = (events: readonly StreamEventBody[]) => this.#keep(key, events, ticket as string, meant);
    return this.#begin(ask, { key, name, keep: mayKeep ? keep : undefined });
  }

  /** Vectors that are kept, or are being made, or a run that makes them. */
  async #vectors(ask: CacheAsk, memo: VectorMemo): Promise<AnswerRun> {
    const { request, context, lease, model, control } = ask;
    const terms = cacheTerms(this.#parts.settings, { model, isRepeatable: true, control });
    if (terms === undefined) {
      this.#note(ask, 'bypass');
      return new Run(ask.parts, request, context, lease);
    }
    const { key } = this.#named(ask, memo.question);
    const name = this.#sharedName(ask, key, terms);
    const early = this.#joined(name, ask, memo);
    if (early) return early;
    const { text, ticket } = await this.#shelf.find(key);
    context.mark('cache');
    if (terms.mayTake && text !== undefined) {
      const usage = memo.read(key.digest, text);
      if (usage) return this.#replay(ask, { events: [], usage, finishReason: 'stop' }, 'hit');
      await this.#shelf.dropBroken(key);
    }
    const late = this.#joined(name, ask, memo);
    if (late) return late;
    this.#note(ask, 'miss');
    const mayKeep = terms.mayKeep && ticket !== undefined;
    const keep = async (events: readonly StreamEventBody[]) => {
      const made = keptVectors(key.digest, memo.made(), events);
      if (made !== undefined) await this.#shelf.put(key, made, ticket as string);
    };
    return this.#begin(ask, { key, name, keep: mayKeep ? keep : undefined, made: memo.made });
  }

  /** By which name a request finds others that ask the same at once; `undefined` when it shares with nobody. */
  #sharedName({ maxTokens, request }: CacheAsk, { digest }: CacheKey, terms: CacheTerms): string | undefined {
    const shares = terms.mayTake && this.#parts.settings.coalesce;
    return shares ? `${digest}\n${maxTokens}\n${request.turn.priority}` : undefined;
  }

  /** Throws kept answers away; those that are being written are not kept, and nobody joins them any more. @throws when the store is away. */
  async purge(which: CachePurge): Promise<number> {
    for (const [name, { key }] of [...this.#running]) {
      if (isPurged(key, which)) this.#running.delete(name);
    }
    return this.#shelf.purge(which);
  }

  #wanted(ask: CacheAsk): Wanted | undefined {
    const { task, model, control } = ask;
    if (task.prompt === undefined) return undefined;
    const question = questionOf(task.prompt);
    const terms = cacheTerms(this.#parts.settings, {
      model,
      isRepeatable: question.isRepeatable,
      control,
    });
    return terms && { terms, question, ...this.#named(ask, question.text) };
  }

  /** Under which name a question of this request is kept. */
  #named({ parts, model, context: { principal } }: CacheAsk, question: string): Named {
    const name = canonicalName(model);
    const scope = {
      tenant: principal?.tenant,
      user: this.#parts.settings.scope === 'user' ? ownerKeyOf(principal ?? { id: '' }) : undefined,
    };
    const served = { name, digests: parts.catalog.digestsOf(name) };
    return { scope, model: served, key: cacheKey(scope, served, question) };
  }

  #joined(name: string | undefined, ask: CacheAsk, memo?: VectorMemo): AnswerRun | undefined {
    const running = name === undefined ? undefined : this.#running.get(name);
    if (!running?.generation.isOpen) return undefined;
    if (memo && running.made) memo.shareOf(running.made);
    this.#note(ask, 'coalesced');
    return running.generation.join(followerAsk(ask));
  }

  #replay({ request, context, lease }: CacheAsk, kept: KeptAnswer, how: 'hit' | 'semantic'): AnswerRun {
    this.#note({ context }, how);
    return new Replay(request, context, lease, kept);
  }

  /** The answer to a question that means the same, if it is still kept. */
  async #near(meant: Meant, terms: CacheTerms): Promise<KeptAnswer | undefined> {
    const { meaning } = this.#parts;
    const key = meaning?.nearest(meant);
    if (key === undefined) return undefined;
    const { kept, ticket } = await this.#look(key, terms);
    if (kept === undefined && ticket !== undefined) meaning?.forget(key);
    return kept;
  }

  async #look(key: CacheKey, { mayTake }: CacheTerms): Promise<Looked> {
    const { text, ticket } = await this.#shelf.find(key);
    if (text === undefined || !mayTake) return { kept: undefined, ticket };
    const kept = keptAnswerOf(key.digest, text);
    if (kept === undefined) await this.#shelf.dropBroken(key);
    return { kept, ticket };
  }

  #begin(ask: CacheAsk, { key, name, keep, made }: Beginning): AnswerRun {
    const { settings } = this.#parts;
    const generation: Generation = new Generation(ask.parts, settings.maxEntryBytes, {
      onOver: (events) => {
        const forget = () => {
          if (name !== undefined && this.#running.get(name)?.generation === generation)
            this.#running.delete(name);
        };
        if (events === undefined || keep === undefined) forget();
        // Until it is kept it is still there to be joined: nobody falls in between.
        else void keep(events).then(forget);
      },
    });
    const follower = generation.begin(followerAsk(ask));
    if (name !== undefined) this.#running.set(name, { generation, key, made });
    return follower;
  }

  async #keep(
    key: CacheKey,
    events: readonly StreamEventBody[],
    ticket: string,
    meant: Meant | undefined,
  ): Promise<void> {
    const text = keptText(key.digest, events);
    if (text === undefined || !(await this.#shelf.put(key, text, ticket))) return;
    // What a tool is called with hangs on every word: it fits no other question, however near.
    if (meant && !events.some(({ type }) => type === 'tool-call')) this.#parts.meaning?.learn(meant, key);
  }

  #note(
    { context }: Pick<CacheAsk, 'context'>,
    what: 'hit' | 'semantic' | 'coalesced' | 'miss' | 'bypass',
  ): void {
    this.#parts.counts.add(what);
    context.cache = what === 'semantic' ? 'hit' : what;
    context.headers.set('x-ziggie-cache', context.cache);
  }
}

function followerAsk({ request, context, lease, meter }: CacheAsk): FollowerAsk {
  return { request, context, lease, meter };
}
