import { describe, expect, it } from 'vitest';
import { defaultChannelConfig } from '../../../worker/engine/channel/channel-config.ts';
import { fromHex } from '../../../worker/engine/primitives/bytes.ts';
import { decodeTransaction, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { MemoryDisk, type MemoryStore } from '../../simulation/memory-store.ts';
import { SimulatedNode } from '../../simulation/node.ts';
import { SimulatedChain } from '../../simulation/simulated-chain.ts';
import fixture from '../../vectors/wallet-before-claims.json' with { type: 'json' };

interface Member {
  readonly node: SimulatedNode;
  readonly store: MemoryStore;
}

const CONFIG = { ...defaultChannelConfig, toSelfDelay: 20 };
const CONNECTION = 3;

/** A wallet as the version before claims stored it, its two peers, and the chain as it was. */
class Upgraded {
  readonly chain = new SimulatedChain({
    height: fixture.height,
    blocks: fixture.blocks.map(({ height, transactions }) => ({
      height,
      transactions: transactions.map((raw) => decodeTransaction(fromHex(raw))),
    })),
  });
  readonly us: Member;
  readonly openWith: Member;
  readonly #members: readonly Member[];
  #now = 1_700_000_100_000;

  constructor() {
    this.us = this.#begin('u', fixture.us);
    this.openWith = this.#begin('q', fixture.openWith);
    this.#members = [this.us, this.openWith, this.#begin('p', fixture.closingWith)];
    for (const raw of fixture.mempool) this.chain.broadcast(fromHex(raw));
  }

  async start(): Promise<void> {
    for (const { node } of this.#members) {
      node.confirm(this.chain.height, []);
      node.synced();
    }
    await this.settle();
  }

  async mine(blocks: number): Promise<void> {
    for (let block = 0; block < blocks; block++) {
      const { height, transactions } = this.chain.mine();
      for (const { node } of this.#members) node.confirm(height, transactions);
      await this.settle();
    }
  }

  async meet(): Promise<void> {
    const { us, openWith } = this;
    us.node.connect(openWith.node, CONNECTION);
    openWith.node.connect(us.node, CONNECTION);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet++)
      for (const { node, store } of this.#members) {
        while (store.inFlight > 0) {
          store.complete();
          quiet = 0;
        }
        await new Promise<void>((resolve) => setImmediate(resolve));
        const to = node === this.us.node ? this.openWith.node : this.us.node;
        for (const { bytes } of node.outbox.splice(0)) {
          to.receive(node, CONNECTION, bytes);
          quiet = 0;
        }
        for (const raw of node.broadcasts.splice(0)) this.chain.broadcast(raw);
      }
  }

  /** What of ours is spent in the chain from a height on, and what was paid for it. */
  feesSat(above: number): bigint {
    const made = this.chain.blocks.filter(({ height }) => height > above).flatMap(({ transactions }) => transactions);
    const ours = made.filter(({ outputs }) => outputs.some(({ script }) => this.us.node.wallet.owns(script)));
    return [this.commitment, ...ours].reduce((sum, tx) => sum + this.#feeSat(tx), 0n);
  }

  get commitment(): Transaction {
    return decodeTransaction(fromHex(fixture.mempool[0] ?? ''));
  }

  #feeSat({ inputs, outputs }: Transaction): bigint {
    const spent = inputs.reduce((sum, input) => sum + (this.chain.outputOf(input)?.amountSat ?? 0n), 0n);
    return spent - outputs.reduce((sum, { amountSat }) => sum + amountSat, 0n);
  }

  #begin(name: string, records: Readonly<Record<string, string>>): Member {
    const disk = new MemoryDisk();
    disk.apply(new Map(Object.entries(records).map(([key, hex]) => [key, fromHex(hex)])));
    const store = disk.open();
    return { store, node: new SimulatedNode({ name, store, config: CONFIG, now: () => this.#now++ }) };
  }
}

const coinsOf = ({ node }: Member): bigint => node.wallet.balance(0n, 0).confirmedSat;

describe('a wallet of the version before claims', () => {
  it('goes on with the payments of an open channel', async () => {
    const upgraded = new Upgraded();
    await upgraded.start();
    await upgraded.meet();
    const open = upgraded.us.node.manager.channels().find(({ state }) => state.kind === 'open');
    const spec = open?.state.kind === 'open' ? open.state.commitments.holderCommit.spec : undefined;
    expect([spec?.toHolderMsat, spec?.htlcs]).toEqual([380_000_000n, []]);
  });

  it('takes everything out of a channel that was closing, with its HTLCs and its child', async () => {
    const upgraded = new Upgraded();
    await upgraded.start();
    const { us } = upgraded;
    // The child that is out is as good as it was: it is not hurried for a time that nobody knows.
    const [closing] = us.node.manager.chainMonitor.monitors().map(([, each]) => each.anchorChild ?? []);
    expect(closing).toMatchObject({ feeratePerKw: 4_000 });
    const beforeSat = 3n * 2_000_000n - 1_000_000n - 600_000n - openingFeesSat;
    await upgraded.meet();
    await upgraded.mine(60);
    const [closed] = us.node.manager.channels().filter(({ state }) => state.kind === 'closed');
    const monitor = us.node.manager.chainMonitor.monitor(closed?.key ?? '');
    expect(monitor?.confirmedSpend?.spend.kind).toBe('holderCommitment');
    expect(us.node.manager.outboundPayments.all().map(({ state }) => state.kind)).toEqual(Array(4).fill('succeeded'));
    // Our balance and the HTLC that came in; the anchor of theirs is paid by us, and stays.
    expect(coinsOf(us)).toBe(beforeSat + 540_000n + 40_000n - upgraded.feesSat(fixture.height) - 330n);
    expect(us.node.manager.sweepingSat()).toBe(0n);
  });
});

/** Of the two channels that were opened before. */
const openingFeesSat = fixture.blocks
  .flatMap(({ transactions }) => transactions.map((raw) => decodeTransaction(fromHex(raw))))
  .slice(9)
  .reduce((sum, { inputs, outputs }) => {
    const spent = 2_000_000n * BigInt(inputs.length);
    return sum + spent - outputs.reduce((total, { amountSat }) => total + amountSat, 0n);
  }, 0n);
