import type { Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import type { StoredRecords, StoreWrites } from '../../worker/engine/primitives/store.ts';
import { ChainSource, hear } from './chain-source.ts';
import { DurableView } from './durable-view.ts';
import type { Fault } from './faults.ts';
import { MemoryDisk, type MemoryStore } from './memory-store.ts';
import type { MonitorTelling } from './monitor-telling.ts';
import { SimulatedNode } from './node.ts';
import type { PayeeHabit } from './payee.ts';
import type { SimulatedChain } from './simulated-chain.ts';
import type { SideName, WorldStart } from './world-start.ts';

interface SideOptions {
  readonly name: SideName;
  readonly start: WorldStart;
  readonly now: () => number;
  readonly complain: (problem: string) => void;
  readonly isShared: (paymentHash: string) => boolean;
  readonly chain: SimulatedChain;
  readonly monitorEvents: MonitorTelling;
  readonly fault?: Fault;
}

/** A message that has left its sender. */
export interface ArrivingMessage {
  readonly connectionId: number;
  readonly bytes: Uint8Array;
}

/** One node with its disk, over all its restarts, and with what it has sent that is not delivered. */
export class Side {
  readonly name: SideName;
  readonly view: DurableView;
  readonly source: ChainSource;
  /** Messages on their way to it, oldest first. */
  inbox: readonly ArrivingMessage[] = [];
  /** Signatures of `commitment_signed` that have left, by channel, and the number of the newest. */
  readonly signed = new Map<string, { newest: number; readonly signatures: Set<string> }>();
  readonly #options: SideOptions;
  readonly #disk: WatchedDisk;
  #store: MemoryStore;
  #node: SimulatedNode;

  constructor(options: SideOptions) {
    this.#options = options;
    this.name = options.name;
    this.source = new ChainSource(options.chain);
    this.view = new DurableView(options.complain, options.isShared);
    this.#disk = new WatchedDisk(this.view, options.fault);
    this.#disk.apply(new Map(options.start.records[options.name]));
    for (const [key, { counterpartyCommitments }] of this.view.monitors)
      this.signed.set(key, { newest: counterpartyCommitments.at(-1)?.number ?? 0, signatures: new Set() });
    this.#store = this.#disk.open();
    this.#node = this.#begin('takes');
  }

  get node(): SimulatedNode {
    return this.#node;
  }

  get store(): MemoryStore {
    return this.#store;
  }

  get secp(): Secp256k1 {
    return this.#options.start.secp;
  }

  get disk(): MemoryDisk {
    return this.#disk;
  }

  /** What it has in channels, or had when they closed. */
  get inChannelsMsat(): bigint {
    return this.#node.manager.channels().reduce((sum, { state }) => {
      if (state.kind === 'open') return sum + state.commitments.holderCommit.spec.toHolderMsat;
      return state.kind === 'closed' ? sum + state.holderMsat : sum;
    }, 0n);
  }

  /** Its user has seen some of its events. */
  acknowledge(which: 'all' | 'oldest' | 'newest'): void {
    const ids = this.#node.deliveredEvents().map(({ id }) => id);
    const seen = which === 'all' ? ids : which === 'oldest' ? ids.slice(0, 1) : ids.slice(-1);
    this.#node.acknowledge(seen);
  }

  /** It holds what is for it from now on, also after a restart. */
  hold(): void {
    this.#node.payee.habit = 'holds';
  }

  /** It takes what it has held, or nothing that it was asked for so far. */
  decide(decision: 'take' | 'refuse'): void {
    const { payee } = this.#node;
    payee.habit = 'takes';
    this.#node.turn(() => (decision === 'take' ? payee.release() : payee.refuse()));
  }

  crash(written: boolean): void {
    this.#node.committer.stop();
    if (written && this.#store.inFlight > 0) this.#store.crashAfterWrite();
    else this.#store.crash();
    this.#options.fault?.restarting?.(this.#disk);
    this.#store = this.#disk.open();
    this.#node = this.#begin(this.#node.payee.habit);
  }

  /** What is durable after a start from other records, with the chain as it is and nobody to talk to. */
  async rehearse(records: StoredRecords): Promise<StoredRecords> {
    const disk = new MemoryDisk();
    disk.apply(new Map(records));
    const store = disk.open();
    const node = this.#makeNode(store, 'takes', this.#options.now);
    for (const news of new ChainSource(this.#options.chain).begin()) hear(node, news);
    node.synced();
    for (let round = 0; round < MOST_WRITES; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (store.inFlight === 0) return disk.durable;
      store.complete();
    }
    throw new Error('it never stops writing');
  }

  #begin(payeeHabit: PayeeHabit): SimulatedNode {
    return this.#makeNode(this.#store, payeeHabit, this.#options.now);
  }

  #makeNode(store: MemoryStore, payeeHabit: PayeeHabit, now: () => number): SimulatedNode {
    const { name, start, fault, monitorEvents } = this.#options;
    const { keys, descriptors } = start.identities[name];
    const commit = (writes: StoreWrites) => fault?.commit?.(store, writes) ?? store.commit(writes);
    return new SimulatedNode({
      name,
      store: { records: store.records, commit, readBelow: (prefix) => store.readBelow(prefix) },
      secp: start.secp,
      config: start.config,
      features: start.features,
      ...(start.interception === undefined ? {} : { interception: start.interception }),
      keys,
      descriptors,
      now,
      monitorEvents,
      payeeHabit,
      acknowledged: (id) => this.view.events.acknowledged(id),
      ...(fault?.buildFunding !== undefined && fault.wrongSide === name ? { buildFunding: fault.buildFunding } : {}),
    });
  }
}

/** More than any start needs. */
const MOST_WRITES = 50;

/** A disk whose every write is read along. */
class WatchedDisk extends MemoryDisk {
  readonly #view: DurableView;
  readonly #fault: Fault | undefined;

  constructor(view: DurableView, fault: Fault | undefined) {
    super();
    this.#view = view;
    this.#fault = fault;
  }

  override apply(writes: StoreWrites): void {
    const written = this.#fault?.writing?.(writes) ?? writes;
    super.apply(written);
    this.#view.apply(written);
  }
}
