import { equalBytes, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { ChannelManager } from '../../../worker/engine/manager/channel-manager.ts';
import { CommitReceipt } from '../../../worker/engine/primitives/commit-receipt.ts';
import {
  decodeTransaction,
  transactionId,
  transactionWeight,
  type Transaction,
} from '../../../worker/engine/transactions/transaction.ts';
import { decodeWallet } from '../../../worker/engine/wallet/wallet-record.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';
import { MemoryDisk, type MemoryStore } from '../../simulation/memory-store.ts';
import { CHAIN_HASH, SimulatedNode } from '../../simulation/node.ts';
import { startOf } from '../../simulation/starts.ts';
import type { SideName, WorldStart } from '../../simulation/world-start.ts';
import { feeratesOf } from '../channel/feerates.ts';

/** What the commitments of the start pay, and what a restart guesses. */
export const COMMITMENT_PER_KW = 1000;

/** A node with a channel and coins, whose blocks, mempool and restarts a test plays. */
export class ClosingNode {
  readonly disk: MemoryDisk = new MemoryDisk();
  node: SimulatedNode;
  height: number;
  readonly #start: WorldStart;
  readonly #name: SideName;
  #store: MemoryStore;

  constructor(start: WorldStart, name: SideName) {
    this.#start = start;
    this.#name = name;
    this.disk.apply(new Map(start.records[name]));
    this.#store = this.disk.open();
    this.node = this.#begin();
    this.height = start.chain.height;
    for (const { height, transactions } of start.chain.blocks) this.node.confirm(height, transactions);
    this.node.confirm(this.height, []);
  }

  /** `a` has opened the channel and has coins. */
  static async begin(name: SideName = 'a'): Promise<ClosingNode> {
    return new ClosingNode(await startOf('wide', 'fake'), name);
  }

  restart(): void {
    this.node.committer.stop();
    this.#store.crash();
    this.#store = this.disk.open();
    this.node = this.#begin();
    this.mine();
  }

  /** What another run of the program would broadcast first, with feerates of its own. */
  async leavingAfterRestart(closing: number, source: 'guessed' | 'estimated'): Promise<readonly Transaction[]> {
    const { secp, config, identities } = this.#start;
    const { keys, descriptors } = identities[this.#name];
    const records = this.disk.durable;
    const feerates = feeratesOf(COMMITMENT_PER_KW, closing);
    const manager = new ChannelManager(
      {
        secp,
        keys,
        entropy: { getSecureRandomBytes: () => new Uint8Array(32) },
        wallet: new OnchainWallet(secp, descriptors, decodeWallet(records.get('coin/state') ?? new Uint8Array(0))),
        filter: { registerTx: () => {}, registerOutput: () => {}, unregisterOutput: () => {} },
        config,
        chainHash: CHAIN_HASH,
        trustedForZeroConf: () => false,
        inboundChannels: () => 'accept',
        reserveSat: () => 0n,
        forwarding: undefined,
        interception: undefined,
        interceptKey: new Uint8Array(32),
        mayCloseAtDeadlines: () => true,
        unsettledPayments: () => [],
        isTipFresh: () => true,
        channelFrozen: () => {},
        log: () => {},
      },
      feerates,
    );
    manager.load(records);
    const { result } = manager.run(0, () => {
      if (source === 'estimated') manager.updateFeerates({ ...feerates });
      manager.bestBlockUpdated(this.height);
    });
    const effects = result.after.release(await CommitReceipt.after(Promise.resolve(), result.writes));
    return effects.flatMap((each) => (each.kind === 'broadcast' ? each.transactions.map(decodeTransaction) : []));
  }

  setFeerate(closing: number): void {
    const feerates = feeratesOf(COMMITMENT_PER_KW, closing);
    this.node.turn(() => this.node.manager.updateFeerates(feerates));
  }

  /** Closes alone, at a feerate; what goes out. */
  async forceClose(closing: number): Promise<Leaving> {
    this.setFeerate(closing);
    const key = this.node.manager.channels()[0]?.key ?? '';
    this.node.turn(() => this.node.manager.forceCloseChannel(key, { unconfirmedState: true }));
    return this.leaving();
  }

  mine(...transactions: readonly Transaction[]): void {
    this.node.confirm(++this.height, transactions);
  }

  /** As `mine`, and what goes out upon it. */
  async mined(...transactions: readonly Transaction[]): Promise<Leaving> {
    this.mine(...transactions);
    return this.leaving();
  }

  /** Takes the newest block's transactions out of the chain again. */
  disconnect(...transactions: readonly Transaction[]): void {
    this.node.turn(() => {
      for (const transaction of transactions) {
        this.node.wallet.transactionUnconfirmed(transactionId(transaction));
        this.node.manager.transactionUnconfirmed(transactionId(transaction));
      }
    });
  }

  /** What has gone out since the last time: the newest commitment and the newest child. */
  async leaving(): Promise<Leaving> {
    do {
      await new Promise((resolve) => setImmediate(resolve));
      this.#store.completeAll();
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#store.inFlight > 0);
    const transactions = this.node.broadcasts.splice(0).map(decodeTransaction);
    const funding = this.#start.chain.blocks.at(-1)?.transactions[0];
    const isOf = (parent: Transaction | undefined, { inputs }: Transaction): boolean =>
      parent !== undefined && inputs.some(({ txid }) => equalBytes(txid, transactionId(parent)));
    const commitment = transactions.findLast((each) => isOf(funding, each));
    return { commitment, child: transactions.findLast((each) => isOf(commitment, each)) };
  }

  /** What the wallet can spend now, in satoshi. */
  get spendableSat(): bigint {
    return this.node.wallet.balance(0n, 0).spendableSat;
  }

  /** The fee of a child, in satoshi. */
  feeOf(child: Transaction): bigint {
    const coins = this.node.wallet.state.coins.filter((coin) =>
      child.inputs.some((input) => input.vout === coin.vout && equalBytes(input.txid, coin.txid)),
    );
    return sumOf(coins) + ANCHOR_SAT - sumOf(child.outputs);
  }

  #begin(): SimulatedNode {
    const { secp, config, features, identities } = this.#start;
    const { records } = this.#store;
    const store = this.#store;
    return new SimulatedNode({
      ...identities[this.#name],
      name: this.#name,
      store: { records, commit: (writes) => store.commit(writes), readBelow: (prefix) => store.readBelow(prefix) },
      secp,
      config,
      features,
      now: () => 0,
    });
  }
}

export interface Leaving {
  readonly commitment: Transaction | undefined;
  readonly child: Transaction | undefined;
}

const ANCHOR_SAT = 330n;

const sumOf = (outputs: readonly { readonly amountSat: bigint }[]): bigint =>
  outputs.reduce((sum, { amountSat }) => sum + amountSat, 0n);

/** The transaction, which has to be there. */
export function existing(transaction: Transaction | undefined): Transaction {
  if (transaction === undefined) throw new Error('no such transaction went out');
  return transaction;
}

export const outpointsOf = ({ inputs }: Transaction): string[] =>
  inputs.map(({ txid, vout }) => `${toHex(txid)}:${vout}`);

export const idOf = (transaction: Transaction | undefined): string =>
  transaction === undefined ? 'none' : toHex(transactionId(transaction));

export const weightOf = (...transactions: readonly Transaction[]): bigint =>
  BigInt(transactions.reduce((sum, transaction) => sum + transactionWeight(transaction), 0));
