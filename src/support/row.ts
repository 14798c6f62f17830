/** What an object needs to stand in a {@link Row}. It stands in one row at a time. */
export interface Linked<T> {
  before: T | undefined;
  behind: T | undefined;
}

/**
 * Objects in the order in which they came: a linked list.
 *
 * An object joins and leaves in constant time, also from the middle. An array needs time in proportion to its length for
 * that, and so does a Map from which the oldest entry is taken again and again.
 */
export class Row<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The object that came first. */
  get first(): T | undefined {
    return this.#first;
  }

  /** The object that came last. */
  get last(): T | undefined {
    return this.#last;
  }

  /** The objects in their order. The one at hand may leave meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    let item = this.#first;
    while (item) {
      const { behind } = item;
      yield item;
      item = behind;
    }
  }

  push(item: T): void {
    this.insert(item, undefined);
  }

  /** Puts an object in front of another one of this row, or at the end. */
  insert(item: T, behind: T | undefined): void {
    const before = behind ? behind.before : this.#last;
    item.before = before;
    item.behind = behind;
    if (before) before.behind = item;
    else this.#first = item;
    if (behind) behind.before = item;
    else this.#last = item;
    this.#length++;
  }

  /** Takes the object that came first out of the row. */
  shift(): T | undefined {
    const first = this.#first;
    if (first) this.remove(first);
    return first;
  }

  /** Takes an object out of the row. It must stand in this row. */
  remove(item: T): void {
    const { before, behind } = item;
    if (before) before.behind = behind;
    else this.#first = behind;
    if (behind) behind.before = before;
    else this.#last = before;
    item.before = undefined;
    item.behind = undefined;
    this.#length--;
  }
}
