import { CommitReceipt } from '../../worker/engine/primitives/commit-receipt.ts';
import type { StoredRecords, StoreWrites } from '../../worker/engine/primitives/store.ts';
import type { StorageCode } from '../../worker/edges/storage/storage-error.ts';
import { StorageProblem } from '../../worker/edges/storage/storage-error.ts';
import type { Store } from '../../worker/edges/storage/store.ts';
import { checkWrites, staysOnDisk } from '../../worker/edges/storage/store.ts';

/** What survives a crash, and who has it. */
export class MemoryDisk {
  readonly #records = new Map<string, Uint8Array>();
  #epoch = 0;

  /** Exactly what is durable now, sorted by key. */
  get durable(): StoredRecords {
    return new Map([...this.#records].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Opens a store on this disk, which fences off the one before. */
  open(): MemoryStore {
    this.#epoch++;
    return new MemoryStore(this, this.#epoch);
  }

  raiseEpoch(epoch: number): void {
    this.#epoch = epoch;
  }

  apply(writes: StoreWrites): void {
    for (const [key, value] of writes) {
      if (value === undefined) this.#records.delete(key);
      else this.#records.set(key, value.slice());
    }
  }
}

interface Pending {
  readonly writes: StoreWrites;
  /** The disk's from here on, where it is another. */
  readonly epoch: number | undefined;
  readonly resolve: () => void;
  readonly reject: (problem: StorageProblem) => void;
}

/** The store without a platform: a commit completes, fails or is lost when the test says so, oldest first. */
export class MemoryStore implements Store {
  readonly records: StoredRecords;
  #epoch: number;
  readonly #disk: MemoryDisk;
  #pending: readonly Pending[] = [];
  #problem: StorageProblem | undefined;

  constructor(disk: MemoryDisk, epoch: number) {
    this.#disk = disk;
    this.#epoch = epoch;
    this.records = new Map([...disk.durable].filter(([key]) => !staysOnDisk(key)));
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** How many commits are in flight. */
  get inFlight(): number {
    return this.#pending.length;
  }

  async commit(writes: StoreWrites): Promise<CommitReceipt> {
    checkWrites(writes);
    return CommitReceipt.after(this.#queue(writes, undefined), writes);
  }

  raiseEpoch(epoch: number): Promise<void> {
    return this.#queue(new Map(), epoch);
  }

  /** The oldest commit in flight becomes durable, and its caller learns of it. */
  complete(): void {
    if (this.epoch !== this.#disk.epoch) return this.fail('StorageFenced');
    const oldest = this.#takeOldest();
    this.#disk.apply(oldest.writes);
    if (oldest.epoch !== undefined) this.#disk.raiseEpoch(oldest.epoch);
    this.#epoch = this.#disk.epoch;
    oldest.resolve();
  }

  completeAll(): void {
    while (this.inFlight > 0) this.complete();
  }

  /** The oldest commit in flight fails, and all that were to follow it with it. */
  fail(code: StorageCode): void {
    const problem = new StorageProblem(code);
    this.#problem ??= problem;
    const failing = this.#pending;
    this.#pending = [];
    for (const { reject } of failing) reject(problem);
  }

  /** The process dies: what is in flight is lost, and nobody is told. */
  crash(): void {
    this.#pending = [];
    this.#problem = new StorageProblem('StorageClosed');
  }

  /** The process dies after the oldest commit became durable and before its caller learned of it. */
  crashAfterWrite(): void {
    this.#disk.apply(this.#takeOldest().writes);
    this.crash();
  }

  async readBelow(prefix: string): Promise<Map<string, Uint8Array>> {
    if (this.#problem?.code === 'StorageClosed') throw this.#problem;
    return new Map([...this.#disk.durable].filter(([key]) => key.startsWith(prefix)));
  }

  close(): void {
    this.fail('StorageClosed');
  }

  #queue(writes: StoreWrites, epoch: number | undefined): Promise<void> {
    if (this.#problem !== undefined) return Promise.reject(this.#problem);
    return new Promise<void>((resolve, reject) => {
      this.#pending = [...this.#pending, { writes: new Map(writes), epoch, resolve, reject }];
    });
  }

  #takeOldest(): Pending {
    const [oldest, ...younger] = this.#pending;
    if (oldest === undefined) throw new Error('no commit is in flight');
    this.#pending = younger;
    return oldest;
  }
}
