import { defaultChannelConfig, type ChannelConfig } from '../../worker/engine/channel/channel-config.ts';
import { equalBytes, fromHex } from '../../worker/engine/primitives/bytes.ts';
import { msat } from '../../worker/engine/primitives/units.ts';
import { KeysManager } from '../../worker/engine/keys/keys-manager.ts';
import { OutboundPayments } from '../../worker/engine/manager/outbound-payments.ts';
import type { RecordsOrigin } from '../../worker/engine/manager/reconciliation.ts';
import type { ChannelMonitor } from '../../worker/engine/monitor/channel-monitor.ts';
import type { InboundPayment } from '../../worker/engine/payments/inbound-payment.ts';
import { nobleSecp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import { decodeTransaction } from '../../worker/engine/transactions/transaction.ts';
import type { TransactionPackage } from '../../worker/engine/transactions/transaction-package.ts';
import type { ChannelHtlc } from '../../worker/engine/transactions/channel-htlc.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';
import type { FeatureSet } from '../../worker/engine/wire/features.ts';
import { MemoryDisk, type MemoryStore } from '../simulation/memory-store.ts';
import { SimulatedNode, type SimulatedNodeOptions } from '../simulation/node.ts';
import type { BlockRecord } from '../world/chain-index.ts';
import type { Delivery, Tell, ToldBlock } from './delivery.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

/** A delay that is short, so that scenes are. */
const CONFIG: ChannelConfig = { ...defaultChannelConfig, toSelfDelay: 20 };

/** What a node can do, what it takes for the feerates before anybody tells it, and what it keeps. */
export type PartyTerms = Pick<SimulatedNodeOptions, 'feerates' | 'reserveSat'> & { readonly features: FeatureSet };

/** One node of a scene with its disk, over all its restarts. */
export class Party {
  readonly disk: MemoryDisk = new MemoryDisk();
  /** What left for the network, in order. */
  readonly broadcasts: TransactionPackage[] = [];
  readonly keys: KeysManager;
  /** 64 bytes */
  readonly seed: Uint8Array;
  readonly delivery: Delivery;
  readonly #name: string;
  readonly #terms: PartyTerms;
  readonly #descriptors: Descriptors;
  #store: MemoryStore;
  #node: SimulatedNode;
  #held: Map<bigint, ChannelHtlc> | undefined;
  #now = 1_700_000_000_000;
  /** Whether it may close channels for the sake of HTLCs that expire, over all restarts. */
  mayCloseAtDeadlines = true;
  /** Not where coins of its wallet come and go otherwise than by its engine. */
  keepsBooks = true;

  /** `seed` is 64 bytes. */
  constructor(name: string, seed: Uint8Array, terms: PartyTerms, delivery: Delivery) {
    this.#name = name;
    this.#terms = terms;
    this.delivery = delivery;
    this.seed = seed;
    this.keys = new KeysManager(nobleSecp256k1, seed, 'regtest');
    this.#descriptors = new Descriptors(seed, 'regtest');
    this.#store = this.disk.open();
    this.#node = this.#begin();
  }

  get node(): SimulatedNode {
    return this.#node;
  }

  get store(): MemoryStore {
    return this.#store;
  }

  /** The monitor of its only channel. */
  get monitor(): ChannelMonitor {
    const [found] = this.#node.manager.chainMonitor.monitors();
    if (found === undefined) throw new Error(`${this.#name} has no channel`);
    return found[1];
  }

  get channelKey(): string {
    const [entry] = this.#node.manager.channels();
    if (entry === undefined) throw new Error(`${this.#name} has no channel`);
    return entry.key;
  }

  /** Dies and starts again from what is durable; the chain source then tells again of what it told before. */
  restart(origin: RecordsOrigin = 'ownStore'): void {
    this.#node.committer.stop();
    this.#store.crash();
    this.#store = this.disk.open();
    this.#node = this.#begin(origin);
    if (this.#held !== undefined) this.hold();
    this.hear(({ manager, wallet }) => manager.bestBlockUpdated(wallet.state.bestHeight));
  }

  /** Decides upon no HTLC that comes, over all restarts, until `release`. */
  hold(): void {
    this.#held ??= new Map();
    const held = this.#held;
    this.#node.manager.inboundPayments.accepted = (_key, htlc) => void held.set(htlc.id, htlc);
  }

  /** Takes HTLCs that it has held, as where the last part of their payment has come over another channel. */
  release(which: (htlc: ChannelHtlc) => boolean = () => true): void {
    const htlcs = this.#letGo(which);
    const parts = htlcs.map(({ id }) => ({ channelKey: this.channelKey, htlcId: id }));
    const amountMsat = msat(htlcs.reduce((sum, htlc) => sum + htlc.amountMsat, 0n));
    this.#decide(htlcs, (payment) => ({ ...payment, received: { amountMsat, at: this.#now, parts } }));
  }

  /** Decides upon HTLCs that it has held, as they come now. */
  reconsider(): void {
    this.#decide(
      this.#letGo(() => true),
      (payment) => payment,
    );
  }

  /** Fails HTLCs that it has held: their invoice has expired. */
  refuse(): void {
    this.#decide(
      this.#letGo(() => true),
      (payment) => ({ ...payment, expiresAt: 0 }),
    );
  }

  #letGo(which: (htlc: ChannelHtlc) => boolean): readonly ChannelHtlc[] {
    const held = [...(this.#held?.values() ?? [])];
    const left = held.filter((htlc) => !which(htlc));
    this.#held = left.length === 0 ? undefined : new Map(left.map((htlc) => [htlc.id, htlc]));
    return held.filter(which);
  }

  #decide(htlcs: readonly ChannelHtlc[], changed: (payment: InboundPayment) => InboundPayment): void {
    Reflect.deleteProperty(this.#node.manager.inboundPayments, 'accepted');
    this.hear(({ manager: { inboundPayments, blockHeight } }) => {
      for (const payment of inboundPayments.all())
        if (htlcs.some(({ paymentHash }) => equalBytes(paymentHash, payment.paymentHash)))
          inboundPayments.addInvoice(changed(payment));
      for (const htlc of htlcs) inboundPayments.accepted(this.channelKey, htlc, blockHeight);
    });
    if (this.#held !== undefined) this.hold();
  }

  /** Spends all of its confirmed coins, also those that it has spent otherwise, to itself. */
  doubleSpend(feeratePerKw: number): Uint8Array {
    const { state } = this.#node.wallet;
    const wallet = new OnchainWallet(nobleSecp256k1, this.#descriptors, { ...state, locked: [] });
    for (const { spentBy } of state.coins) if (spentBy !== undefined) wallet.transactionDropped(spentBy.txid);
    const address = this.#node.turn(() => this.#node.wallet.newAddress());
    return paidFrom(wallet, address, 'all', { feeratePerKw, reserveSat: 0n }).rawTx;
  }

  /** Starts again without a record of what it pays, so that it pays the same again: also not as its channels would put it back. */
  forgetPayments(): void {
    this.keepsBooks = false;
    for (const key of this.disk.durable.keys())
      if (key.startsWith('pay/')) this.disk.apply(new Map([[key, undefined]]));
    const { putBack } = OutboundPayments.prototype;
    OutboundPayments.prototype.putBack = () => undefined;
    this.restart();
    OutboundPayments.prototype.putBack = putBack;
  }

  /** As `restart`, from an older copy of its disk; whether it knows that is `origin`. */
  restartFrom(copy: ReadonlyMap<string, Uint8Array>, origin: RecordsOrigin = 'ownStore'): void {
    for (const key of this.disk.durable.keys()) this.disk.apply(new Map([[key, undefined]]));
    this.disk.apply(new Map(copy));
    this.restart(origin);
  }

  /** Hears something in one turn. */
  hear(tell: Tell): void {
    this.#node.turn(() => tell(this.#node));
  }

  #begin(origin: RecordsOrigin = 'ownStore'): SimulatedNode {
    return new SimulatedNode({
      origin,
      name: this.#name,
      store: this.#store,
      keys: this.keys,
      descriptors: this.#descriptors,
      ...this.#terms,
      config: CONFIG,
      now: () => this.#now++,
      mayCloseAtDeadlines: () => this.mayCloseAtDeadlines,
      broadcast: (transactions) => this.broadcasts.push(transactions),
    });
  }
}

/** The transactions of a block but for its coinbase. */
export const told = ({ height, txs }: BlockRecord): ToldBlock => ({
  height,
  transactions: txs.slice(1).map((tx) => decodeTransaction(fromHex(tx.toRaw().toString('hex')))),
});
