import type { StoreWrites } from '../../worker/engine/primitives/store.ts';
import type { ChannelEntry } from '../../worker/engine/manager/channel-entry.ts';
import type { FeatureSet } from '../../worker/engine/wire/features.ts';
import { decodeTransaction, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { DurableView } from '../simulation/durable-view.ts';
import { fakeSecp256k1 } from '../simulation/fake-secp256k1.ts';
import { identityOf, type NodeIdentity } from '../simulation/identity.ts';
import { MemoryDisk, type MemoryStore } from '../simulation/memory-store.ts';
import { putBack } from '../simulation/faults.ts';
import { FEATURES, SimulatedNode } from '../simulation/node.ts';

export const CAMP_NAMES = ['victim', 'attacker', 'honest'] as const;
export type CampName = (typeof CAMP_NAMES)[number];

const identities = Object.fromEntries(CAMP_NAMES.map((name) => [name, identityOf(fakeSecp256k1, name)])) as Record<
  CampName,
  NodeIdentity
>;

export interface CampParts {
  readonly name: CampName;
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly features?: FeatureSet | undefined;
  readonly now: () => number;
}

/** One node of an arena with its disk, over all its restarts. */
export class Camp {
  readonly name: CampName;
  /** What is durable, read along with every write. */
  readonly view: DurableView;
  readonly disk: MemoryDisk;
  /** What no engine may do whatever its peers say: exceptions, and writes that no honest engine makes. */
  readonly faults: string[] = [];
  /** Every transaction that has left, oldest first. */
  readonly broadcasts: Transaction[] = [];
  readonly #parts: CampParts;
  #store: MemoryStore;
  #node: SimulatedNode;

  constructor(parts: CampParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.view = new DurableView((problem) => this.faults.push(problem));
    this.disk = new WatchedDisk(this.view);
    this.disk.apply(new Map(parts.records));
    this.#store = this.disk.open();
    this.#node = this.#begin();
  }

  get node(): SimulatedNode {
    return this.#node;
  }

  get store(): MemoryStore {
    return this.#store;
  }

  /** Runs an input. What it throws is a fault: nothing from outside may reach an exception. */
  attempt(work: (node: SimulatedNode) => void): void {
    try {
      work(this.#node);
    } catch (error) {
      this.faults.push(`an input threw ${String(error)}`);
    }
  }

  /** Dies and starts again from what is durable. */
  restart(): void {
    this.#node.committer.stop();
    this.#store.crash();
    this.#store = this.disk.open();
    this.#node = this.#begin();
  }

  /** Starts again from an older copy of its disk. */
  restartFrom(copy: ReadonlyMap<string, Uint8Array>): void {
    const before = this.faults.length;
    putBack(this.disk, copy);
    // That the disk went back is what the test wants.
    this.faults.length = before;
    this.restart();
  }

  channelsWith(peer: Camp): readonly ChannelEntry[] {
    return this.#node.manager.channels().filter(({ nodeId }) => nodeId === peer.node.nodeId);
  }

  collectBroadcasts(): readonly Uint8Array[] {
    const left = this.#node.broadcasts.splice(0);
    this.broadcasts.push(...left.map(decodeTransaction));
    return left;
  }

  #begin(): SimulatedNode {
    const { name, features = FEATURES, now } = this.#parts;
    const store = this.#store;
    return new SimulatedNode({
      ...identities[name],
      name,
      secp: fakeSecp256k1,
      store,
      features,
      now,
    });
  }
}

/** A disk whose every write is read along. */
class WatchedDisk extends MemoryDisk {
  readonly #view: DurableView;

  constructor(view: DurableView) {
    super();
    this.#view = view;
  }

  override apply(writes: StoreWrites): void {
    super.apply(writes);
    this.#view.apply(new Map([...writes].filter(([key]) => !isArchived(key, writes))));
  }
}

/** The monitor of a channel that is put out of the way by the same write. */
function isArchived(key: string, writes: StoreWrites): boolean {
  const [room, name = ''] = key.split('/');
  return room === 'mon' && writes.has(`arch/${name}/params`);
}
