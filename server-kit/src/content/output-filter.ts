import type { StreamEventBody, ToolCallEvent } from '@ziggie/llm-protocol';
import type { ContentChannel } from './content-options.ts';
import { mapTexts } from './json-text.ts';
import type { TextGuard } from './text-guard.ts';

/** Makes the guards that the text of a channel goes through, in order. */
export type MakeGuards = (channel: ContentChannel) => TextGuard[];

const deltaTypes = { text: 'text-delta', thinking: 'thinking-delta' } as const;
type DeltaChannel = keyof typeof deltaTypes;

/**
 * Passes the events of one answer through guards: text and thinking each as one text however it is cut, the strings of a
 * tool call each by itself. What is kept goes out before anything that comes after it.
 */
export class OutputFilter {
  readonly #make: MakeGuards;
  readonly #guards: Record<DeltaChannel, TextGuard[]>;

  constructor(make: MakeGuards) {
    this.#make = make;
    this.#guards = { text: make('text'), thinking: make('thinking') };
  }

  /** @throws {KitFailure} when the answer may not go on. What is kept then never goes out. */
  apply(events: readonly StreamEventBody[]): StreamEventBody[] {
    const out: StreamEventBody[] = [];
    for (const event of events) {
      switch (event.type) {
        case 'text-delta':
          this.#flush('thinking', out);
          this.#put('text', this.#push(this.#guards.text, event.text), out);
          break;
        case 'thinking-delta':
          this.#flush('text', out);
          this.#put('thinking', this.#push(this.#guards.thinking, event.text), out);
          break;
        case 'tool-call':
          this.#flushAll(out);
          out.push(this.#call(event));
          break;
        case 'usage':
        case 'done':
          this.#flushAll(out);
          out.push(event);
          break;
        default:
          out.push(event);
      }
    }
    return out;
  }

  #call(event: ToolCallEvent): ToolCallEvent {
    const change = (text: string) => {
      const guards = this.#make('tool-call');
      return this.#push(guards, text) + this.#rest(guards);
    };
    return {
      ...event,
      name: change(event.name),
      arguments: mapTexts(event.arguments, change) as Record<string, unknown>,
    };
  }

  #push(guards: readonly TextGuard[], text: string): string {
    let passed = text;
    for (const guard of guards) passed = guard.push(passed);
    return passed;
  }

  /** What all guards keep: of the first through the others, and so on. */
  #rest(guards: readonly TextGuard[]): string {
    let passed = '';
    for (const guard of guards) passed = (passed === '' ? '' : guard.push(passed)) + guard.flush();
    return passed;
  }

  #flush(channel: DeltaChannel, out: StreamEventBody[]): void {
    this.#put(channel, this.#rest(this.#guards[channel]), out);
  }

  #flushAll(out: StreamEventBody[]): void {
    this.#flush('thinking', out);
    this.#flush('text', out);
  }

  #put(channel: DeltaChannel, text: string, out: StreamEventBody[]): void {
    if (text !== '') out.push({ type: deltaTypes[channel], text });
  }
}
