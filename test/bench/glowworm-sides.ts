import { openStore } from '../../worker/edges/storage/indexeddb-store.ts';
import type { Store } from '../../worker/edges/storage/store.ts';
import { nobleSecp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import type { StoreWrites } from '../../worker/engine/primitives/store.ts';
import { NoiseSession } from '../../worker/engine/peer/noise-session.ts';
import { decodeTransaction, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { SimulatedNode, type SimulatedStore } from '../simulation/node.ts';
import type { WriteCounts } from './payments.ts';
import { soon, task, type Activity } from './tasks.ts';

/** A store that counts what goes through it. */
class CountingStore implements SimulatedStore {
  #transactions = 0;
  #bytes = 0;
  readonly #store: Store;
  readonly #written: () => void;

  constructor(store: Store, written: () => void) {
    this.#store = store;
    this.#written = written;
  }

  get counts(): WriteCounts {
    return { transactions: this.#transactions, bytes: this.#bytes };
  }

  get records(): Store['records'] {
    return this.#store.records;
  }

  commit(writes: StoreWrites): ReturnType<Store['commit']> {
    this.#transactions++;
    for (const [key, value] of writes) this.#bytes += key.length + (value?.length ?? 0);
    return this.#store.commit(writes).finally(this.#written);
  }

  readBelow(prefix: string): ReturnType<Store['readBelow']> {
    return this.#store.readBelow(prefix);
  }

  close(): void {
    this.#store.close();
  }
}

/** One side with its half of the connection. */
export class Side {
  readonly node: SimulatedNode;
  readonly store: CountingStore;
  #session: NoiseSession | undefined;
  #other: Side | undefined;
  readonly #activity: Activity;
  #connectionId = 0;
  #frames: Uint8Array[] = [];
  #scheduled = false;

  constructor(name: string, store: Store, activity: Activity) {
    this.#activity = activity;
    this.store = new CountingStore(store, activity.notify);
    this.node = new SimulatedNode({
      name,
      store: this.store,
      now: () => Date.now(),
      soon,
      deliver: (bytes) => this.#send(bytes),
    });
  }

  /** Handshake and `peerConnected` on both sides. */
  static connect(a: Side, b: Side, connectionId: number): void {
    const secp = nobleSecp256k1;
    const ephemeral = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
    const start = NoiseSession.initiate(secp, staticKey(a), b.node.keys.nodeId, ephemeral(1));
    const answering = NoiseSession.respond(secp, staticKey(b), ephemeral(2));
    const two = answering.push(start.act).send;
    const three = start.session.push(join(two)).send;
    answering.push(join(three));
    a.#session = start.session;
    b.#session = answering;
    [a.#other, b.#other] = [b, a];
    a.#connectionId = b.#connectionId = connectionId;
    a.node.connect(b.node, connectionId);
    b.node.connect(a.node, connectionId);
  }

  #send(bytes: Uint8Array): void {
    this.#frames.push(this.#session?.seal(bytes) ?? bytes);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const chunk = join(this.#frames.splice(0));
      const other = this.#other;
      if (other !== undefined) other.#receive(chunk, this.node);
    });
  }

  #receive(chunk: Uint8Array, from: SimulatedNode): void {
    for (const message of this.#session?.push(chunk).messages ?? [])
      this.node.receive(from, this.#connectionId, message);
    this.#activity.notify();
  }
}

/** Two engines in this worker with a channel of 10,000,000 sat between them, on databases of their own. */
export async function openPair(names: readonly [string, string], activity: Activity): Promise<readonly [Side, Side]> {
  const a = new Side('a', await openStore({ name: names[0] }), activity);
  const b = new Side('b', await openStore({ name: names[1] }), activity);
  a.node.confirm(100, [coinFor(a)]);
  b.node.confirm(100, []);
  Side.connect(a, b, 1);
  a.node.open(b.node, 10_000_000n);
  await activity.until(() => a.node.broadcasts.length > 0);
  const funding = decodeTransaction(a.node.broadcasts[0] ?? new Uint8Array(0));
  for (const side of [a, b])
    for (let height = 101; height <= 106; height++) side.node.confirm(height, height === 101 ? [funding] : []);
  await activity.until(() => isReady(a) && isReady(b));
  await settled(a, b);
  return [a, b];
}

/** Nothing on the way, and everything durable on both sides. */
export async function settled(...sides: readonly Side[]): Promise<void> {
  for (let quiet = 0; quiet < 2; quiet++) {
    for (const { node } of sides) await node.committer.settled();
    await task();
  }
}

function isReady({ node }: Side): boolean {
  const state = node.manager.channels()[0]?.state;
  return state?.kind === 'open' && state.holderReadySent && state.counterpartyReady;
}

function coinFor({ node }: Side): Transaction {
  const input = { txid: new Uint8Array(32).fill(9), vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] };
  const output = { amountSat: 100_000_000n, script: node.wallet.newScript('receive') };
  return { version: 2, inputs: [input], outputs: [output], locktime: 0 };
}

const staticKey = ({ node }: Side): { publicKey: Uint8Array; ecdh: (point: Uint8Array) => Uint8Array } => ({
  publicKey: node.keys.nodeId,
  ecdh: (point) => node.keys.ecdh(point),
});

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}
