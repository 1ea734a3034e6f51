import type { Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import type { StoreWrites } from '../../worker/engine/primitives/store.ts';
import { ChainSource } from './chain-source.ts';
import { DurableView } from './durable-view.ts';
import type { Fault } from './faults.ts';
import { MemoryDisk, type MemoryStore } from './memory-store.ts';
import { SimulatedNode } from './node.ts';
import type { SimulatedChain } from './simulated-chain.ts';
import type { SideName, WorldStart } from './world-start.ts';

interface SideOptions {
  readonly name: SideName;
  readonly start: WorldStart;
  readonly now: () => number;
  readonly complain: (problem: string) => void;
  readonly chain: SimulatedChain;
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
    this.view = new DurableView(options.complain);
    this.#disk = new WatchedDisk(this.view, options.fault);
    this.#disk.apply(new Map(options.start.records[options.name]));
    for (const [key, { counterpartyCommitments }] of this.view.monitors)
      this.signed.set(key, { newest: counterpartyCommitments.at(-1)?.number ?? 0, signatures: new Set() });
    this.#store = this.#disk.open();
    this.#node = this.#begin();
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

  crash(written: boolean): void {
    this.#node.committer.stop();
    if (written && this.#store.inFlight > 0) this.#store.crashAfterWrite();
    else this.#store.crash();
    this.#options.fault?.restarting?.(this.#disk);
    this.#store = this.#disk.open();
    this.#node = this.#begin();
  }

  #begin(): SimulatedNode {
    const { name, start, now, fault } = this.#options;
    const { keys, descriptors } = start.identities[name];
    const store = this.#store;
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
      ...(fault?.buildFunding !== undefined && fault.wrongSide === name ? { buildFunding: fault.buildFunding } : {}),
    });
  }
}

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
