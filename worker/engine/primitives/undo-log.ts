/** How to take back what a piece of work changed in memory, the newest change first. */
export class UndoLog {
  readonly #undos: (() => void)[] = [];

  /** Notes how the change that is about to be made is taken back. */
  push(undo: () => void): void {
    this.#undos.push(undo);
  }

  /** A place to which `rollBack` can return. */
  get mark(): number {
    return this.#undos.length;
  }

  /** Takes back every change that came after a mark. */
  rollBack(mark: number = 0): void {
    while (this.#undos.length > mark) this.#undos.pop()?.();
  }
}

/** A map whose changes are taken back with the work that made them. Without a running work they stay. */
export class UndoableMap<K, V> extends Map<K, V> {
  readonly #log: () => UndoLog | undefined;

  constructor(log: () => UndoLog | undefined) {
    super();
    this.#log = log;
  }

  override set(key: K, value: V): this {
    this.#note(key);
    return super.set(key, value);
  }

  override delete(key: K): boolean {
    this.#note(key);
    return super.delete(key);
  }

  #note(key: K): void {
    const log = this.#log();
    if (log === undefined) return;
    const before = super.has(key) ? { value: super.get(key) as V } : undefined;
    log.push(() => void (before === undefined ? super.delete(key) : super.set(key, before.value)));
  }
}
