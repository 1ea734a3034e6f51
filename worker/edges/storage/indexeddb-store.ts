import { CommitReceipt } from '../../engine/primitives/commit-receipt.ts';
import { equalBytes } from '../../engine/primitives/bytes.ts';
import type { StoredRecords, StoreWrites } from '../../engine/primitives/store.ts';
import type { Database } from './database.ts';
import { DATABASE_VERSION, openDatabase } from './database.ts';
import { bytesOf, numberOf, takeOver } from './ownership.ts';
import { readAtOpening, readBelow } from './read-records.ts';
import { StorageProblem, toStorageProblem } from './storage-error.ts';
import type { Store } from './store.ts';
import { checkWrites, EPOCH_KEY } from './store.ts';

export interface StoreOptions {
  /** Of the database; wallets of one origin need different names. */
  readonly name: string;
}

/**
 * Opens the wallet's database, or creates it, and takes it over from whoever had it open. Rejects with a `StorageProblem`:
 * `DatabaseTooNew`, `StorageBlocked`, `StorageFull`, `StorageFailed`.
 */
export async function openStore({ name }: StoreOptions): Promise<Store> {
  const connection: Connection = { problem: undefined };
  const closed = (): void => {
    connection.problem ??= new StorageProblem('StorageClosed');
  };
  const database = await openDatabase({ name, version: DATABASE_VERSION, closed });
  try {
    return new IndexedDbStore(database, connection, await takeOverAndRead(database));
  } catch (error) {
    database.close();
    throw toStorageProblem(error);
  }
}

/** Why the store does not write any more. */
interface Connection {
  problem: StorageProblem | undefined;
}

interface Opening {
  readonly epoch: Uint8Array;
  readonly records: StoredRecords;
}

/** One transaction for both: what is read is what the previous owner, who is fenced off from here on, left behind. */
async function takeOverAndRead(database: Database): Promise<Opening> {
  const transaction = database.transaction('records', 'readwrite', STRICT);
  // It is awaited below, but rejects earlier where a request fails.
  transaction.done.catch(() => undefined);
  try {
    const epoch = await takeOver(transaction.store);
    const records = await readAtOpening(transaction.store);
    await transaction.done;
    return { epoch, records };
  } catch (error) {
    abort(transaction);
    throw error;
  }
}

class IndexedDbStore implements Store {
  readonly records: StoredRecords;
  readonly #database: Database;
  readonly #connection: Connection;
  #epoch: Uint8Array;
  /** Settles with the newest commit. IndexedDB would go on with a transaction behind one that failed: see `commit`. */
  #newest: Promise<void> = Promise.resolve();

  constructor(database: Database, connection: Connection, { epoch, records }: Opening) {
    this.#database = database;
    this.#connection = connection;
    this.#epoch = epoch;
    this.records = records;
  }

  get epoch(): number {
    return Number(numberOf(this.#epoch));
  }

  async commit(writes: StoreWrites): Promise<CommitReceipt> {
    checkWrites(writes);
    const asOfNow = new Map(writes);
    return CommitReceipt.after(
      this.#inOrder(() => this.#write(asOfNow)),
      writes,
    );
  }

  raiseEpoch(epoch: number): Promise<void> {
    const raised = bytesOf(BigInt(epoch));
    return this.#inOrder(async () => {
      await this.#write(new Map([[EPOCH_KEY, raised]]));
      this.#epoch = raised;
    });
  }

  async readBelow(prefix: string): Promise<Map<string, Uint8Array>> {
    try {
      return await readBelow(this.#database.transaction('records').store, prefix);
    } catch (error) {
      throw toStorageProblem(error);
    }
  }

  close(): void {
    this.#connection.problem ??= new StorageProblem('StorageClosed');
    this.#database.close();
  }

  /** A commit builds on the ones before it, so it must not begin before they are durable. */
  #inOrder(work: () => Promise<void>): Promise<void> {
    const completed = this.#newest.then(work);
    this.#newest = completed.catch(() => undefined);
    return completed;
  }

  async #write(writes: StoreWrites): Promise<void> {
    if (this.#connection.problem !== undefined) throw this.#connection.problem;
    try {
      await this.#transact(writes);
    } catch (error) {
      this.#connection.problem ??= toStorageProblem(error);
      throw this.#connection.problem;
    }
  }

  /** Every request is issued before the first is awaited: a transaction without one commits what it has. */
  async #transact(writes: StoreWrites): Promise<void> {
    const transaction = this.#database.transaction('records', 'readwrite', STRICT);
    let fenced = false;
    const fence = transaction.store.get(EPOCH_KEY).then((epoch) => {
      fenced = epoch === undefined || !equalBytes(epoch, this.#epoch);
      // All writes are queued by now: to say so spares the wait for their answers.
      if (fenced) abort(transaction);
      else transaction.commit();
    });
    const requests: Promise<unknown>[] = [fence];
    try {
      for (const [key, value] of writes)
        requests.push(
          value === undefined ? transaction.store.delete(key) : transaction.store.put(ownBuffer(value), key),
        );
    } catch (error) {
      abort(transaction);
      await Promise.allSettled([...requests, transaction.done]);
      throw error;
    }
    // The requests' own rejections say no more than the transaction's, which carries the reason of the abort.
    const [done] = await Promise.allSettled([transaction.done, ...requests]);
    if (fenced) throw new StorageProblem('StorageFenced');
    if (done.status === 'rejected') throw done.reason;
  }
}

const STRICT: IDBTransactionOptions = { durability: 'strict' };

function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already, by itself or by the error that led here.
  }
}

/** A structured clone of a view copies all of the buffer behind it, which can be a whole network packet. */
const ownBuffer = (value: Uint8Array): Uint8Array =>
  value.byteLength === value.buffer.byteLength ? value : value.slice();
