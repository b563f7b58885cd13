/** Events of work that goes on elsewhere, one reader. */
export class EventQueue<Event> {
  readonly #waiting: Event[] = [];
  #wake = (): void => {};
  #over = false;

  push(event: Event): void {
    this.#waiting.push(event);
    this.#wake();
  }

  /** The queue is over when the work is, whichever way it ends. */
  endWith(work: Promise<unknown>): void {
    const end = (): void => {
      this.#over = true;
      this.#wake();
    };
    work.then(end, end);
  }

  async *events(): AsyncGenerator<Event, void, void> {
    for (;;) {
      while (this.#waiting.length > 0) yield this.#waiting.shift() as Event;
      if (this.#over) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
