/**
 * Where a growing list stands: at its end as long as the reader wants that, else exactly where they read, whatever is added
 * above or below. The browser's own scroll anchoring is off for it: Safari has none.
 */

const NEAR_END_PX = 40;
const NEAR_TOP_PX = 400;
/** What moves the list so little and was nobody's doing is a change of layout. */
const LAYOUT_PX = 160;
const INTENT_MS = 400;

interface Anchor {
  row: Element;
  /** Of the row from the top of the visible part. */
  offset: number;
}

export interface ListListener {
  moved(atEnd: boolean): void;
  /** There is hardly anything left above. */
  nearTop(): void;
}

export class ListScroll {
  #list: HTMLElement | null = null;
  #listener: ListListener | null = null;
  #atEnd = true;
  #anchor: Anchor | null = null;
  #lastTop = 0;
  #touchedMs = Number.NEGATIVE_INFINITY;

  /** `rows` selects the elements by which the place is kept. */
  constructor(private readonly rows: string) {}

  /** Returns what lets go of the list. */
  attach(list: HTMLElement, listener: ListListener): () => void {
    this.#list = list;
    this.#listener = listener;
    // Emotes that load late, a keyboard that opens: heights change without a new message.
    const resized = new ResizeObserver(() => this.settle());
    resized.observe(list);
    if (list.firstElementChild !== null) resized.observe(list.firstElementChild);
    const scrolled = () => this.#scrolled(list, listener);
    const touched = () => (this.#touchedMs = performance.now());
    const stop = new AbortController();
    list.addEventListener('scroll', scrolled, { signal: stop.signal, passive: true });
    for (const name of ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const)
      list.addEventListener(name, touched, { signal: stop.signal, passive: true });
    this.settle();
    return () => {
      resized.disconnect();
      stop.abort();
      this.#list = this.#listener = null;
    };
  }

  /** To be called when the list's content has changed, before it is painted. */
  settle(): void {
    const list = this.#list;
    if (list === null) return;
    if (this.#atEnd) list.scrollTop = list.scrollHeight;
    else if (this.#anchor?.row.isConnected === true)
      list.scrollTop += offsetOf(this.#anchor.row, list) - this.#anchor.offset;
    this.#lastTop = list.scrollTop;
    if (list.scrollHeight <= list.clientHeight + 1) this.#listener?.nearTop();
  }

  toEnd(): void {
    this.#atEnd = true;
    this.#anchor = null;
    this.settle();
  }

  /** Shows the row in the middle, and stays there. */
  toRow(row: Element): void {
    this.#atEnd = false;
    this.#anchor = null;
    row.scrollIntoView({ block: 'center' });
  }

  #scrolled(list: HTMLElement, listener: ListListener): void {
    const distance = list.scrollHeight - list.clientHeight - list.scrollTop;
    const meant = performance.now() - this.#touchedMs < INTENT_MS;
    if (this.#atEnd && !meant && distance <= LAYOUT_PX) {
      this.settle();
      return;
    }
    // The smallest move up is meant: the end must not hold who wants to leave it.
    const left = list.scrollTop < this.#lastTop - 1 && distance > 4;
    this.#lastTop = list.scrollTop;
    this.#atEnd = !left && distance <= NEAR_END_PX;
    this.#anchor = this.#atEnd ? null : this.#firstVisible(list);
    listener.moved(this.#atEnd);
    if (list.scrollTop < NEAR_TOP_PX) listener.nearTop();
  }

  #firstVisible(list: HTMLElement): Anchor | null {
    for (const row of list.querySelectorAll(this.rows)) {
      const offset = offsetOf(row, list);
      if (offset + row.clientHeight > 0) return { row, offset };
    }
    return null;
  }
}

function offsetOf(row: Element, list: Element): number {
  return row.getBoundingClientRect().top - list.getBoundingClientRect().top;
}
