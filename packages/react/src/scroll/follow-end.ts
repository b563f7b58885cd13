/** Whether the end is followed, and whether something lies below what is seen. */
export interface FollowState {
  readonly following: boolean;
  readonly hasMoreBelow: boolean;
}

/** This near the end counts as at the end. More would fight small wheel steps; less would miss fractions of pixels. */
const AT_END_PX = 4;

const upKeys: ReadonlySet<string> = new Set(['ArrowUp', 'PageUp', 'Home']);

/**
 * Keeps the end of a growing transcript in view until the reader wants otherwise.
 *
 * It lets go by intent and not by distance: a wheel step, a finger, a key or the scroll bar upwards, or a selection. From
 * then on it moves nothing. It holds on again when the reader comes to the end, or asks for it.
 */
export class FollowEnd {
  readonly #listeners = new Set<() => void>();
  #state: FollowState = { following: true, hasMoreBelow: false };
  #scroller: HTMLElement | null = null;
  #release: (() => void) | null = null;
  #lastTop = 0;
  #lastHeight = 0;
  #touchY: number | null = null;

  readonly get = (): FollowState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /** Watches a scroller and what it holds; returns how to stop. */
  attach(scroller: HTMLElement, content: HTMLElement): () => void {
    this.#scroller = scroller;
    const events = new AbortController();
    const on = <K extends keyof HTMLElementEventMap>(
      type: K,
      listener: (event: HTMLElementEventMap[K]) => void,
    ) => scroller.addEventListener(type, listener, { passive: true, signal: events.signal });
    on('wheel', (event) => {
      if (event.deltaY < 0 && !event.ctrlKey) this.#letGo();
    });
    on('touchstart', (event) => {
      this.#touchY = event.touches[0]?.clientY ?? null;
    });
    on('touchmove', (event) => {
      const y = event.touches[0]?.clientY;
      // The finger goes down, the text goes up.
      if (y !== undefined && this.#touchY !== null && y > this.#touchY) this.#letGo();
      this.#touchY = y ?? null;
    });
    on('keydown', (event) => {
      if (upKeys.has(event.key) || (event.key === ' ' && event.shiftKey && event.target === scroller))
        this.#letGo();
    });
    on('scroll', () => this.#scrolled());
    scroller.ownerDocument.addEventListener('selectionchange', () => this.#selected(), {
      signal: events.signal,
    });
    const resizes = new ResizeObserver(() => this.#resized());
    resizes.observe(content);
    resizes.observe(scroller);
    this.#release = () => {
      events.abort();
      resizes.disconnect();
      this.#scroller = null;
    };
    return this.#release;
  }

  /** Goes to the end and stays there. */
  readonly toEnd = (behavior: ScrollBehavior = 'instant'): void => {
    this.#set({ following: true, hasMoreBelow: false });
    const scroller = this.#scroller;
    scroller?.scrollTo({ top: scroller.scrollHeight, behavior });
  };

  #letGo(): void {
    const scroller = this.#scroller;
    if (scroller === null || scroller.scrollHeight <= scroller.clientHeight) return;
    this.#set({ following: false, hasMoreBelow: this.#distance() > AT_END_PX });
  }

  #scrolled(): void {
    const scroller = this.#scroller;
    if (scroller === null) return;
    const { scrollTop } = scroller;
    // The echo of a step of our own, which comes with nearly every frame of an answer.
    if (scrollTop === this.#lastTop && this.#state.following) return;
    const { scrollHeight } = scroller;
    const up = scrollTop < this.#lastTop - 0.5;
    // Content that shrinks moves the position up too, without anybody's wish.
    const shrunk = scrollHeight < this.#lastHeight;
    this.#lastTop = scrollTop;
    this.#lastHeight = scrollHeight;
    const atEnd = this.#distance() <= AT_END_PX;
    if (up && !shrunk && !atEnd) this.#set({ following: false, hasMoreBelow: true });
    else if (atEnd && !up && !this.#hasSelection()) this.#set({ following: true, hasMoreBelow: false });
    else this.#set({ ...this.#state, hasMoreBelow: !this.#state.following && !atEnd });
  }

  #resized(): void {
    const scroller = this.#scroller;
    if (scroller === null) return;
    if (this.#state.following) {
      scroller.scrollTop = scroller.scrollHeight;
      this.#lastTop = scroller.scrollTop;
    } else {
      this.#set({ following: false, hasMoreBelow: this.#distance() > AT_END_PX });
    }
    this.#lastHeight = scroller.scrollHeight;
  }

  #selected(): void {
    if (this.#state.following && this.#hasSelection()) this.#letGo();
  }

  #hasSelection(): boolean {
    const selection = this.#scroller?.ownerDocument.getSelection();
    return (
      selection !== null &&
      selection !== undefined &&
      !selection.isCollapsed &&
      (this.#scroller?.contains(selection.anchorNode) ?? false)
    );
  }

  #distance(): number {
    const scroller = this.#scroller;
    return scroller === null ? 0 : scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
  }

  #set(state: FollowState): void {
    const before = this.#state;
    if (before.following === state.following && before.hasMoreBelow === state.hasMoreBelow) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}
