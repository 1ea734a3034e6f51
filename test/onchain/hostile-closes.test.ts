import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../worker/engine/primitives/bytes.ts';
import { anchorScript } from '../../worker/engine/transactions/channel-scripts.ts';
import { p2wsh } from '../../worker/engine/transactions/script.ts';
import {
  encodeTransaction,
  transactionId,
  withWitness,
  type Transaction,
} from '../../worker/engine/transactions/transaction.ts';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import { Book } from './book.ts';
import type { Scene } from './scene.ts';
import { Thief } from './thief.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

const begin = scenes();

function setFeerate({ us, chain: { height } }: Scene, closing: number): void {
  us.node.turn(() => {
    us.node.manager.updateFeerates(feeratesOf(1_000, closing));
    us.node.manager.bestBlockUpdated(height);
  });
}

/** All that our wallet has goes away, but for one coin. */
async function keepOneCoin(scene: Scene, reserveSat: bigint): Promise<void> {
  const away = addressOfScript(scene.them.keys.destinationScript(), 'regtest') ?? '';
  const { wallet } = scene.us.node;
  await scene.submit(
    scene.us.node.turn(() => paidFrom(wallet, away, 'all', { feeratePerKw: 1_000, reserveSat })).rawTx,
  );
  scene.them.keepsBooks = false;
  scene.book = new Book(scene);
}

/** Which outputs of a commitment, by their amounts, are spent. */
const spentSat = (scene: Scene, commitment: Transaction): readonly bigint[] =>
  scene.spendsOf(commitment).flatMap((spend, vout) => (spend ? [commitment.outputs[vout]?.amountSat ?? 0n] : []));

/** A scene in which `them` broadcasts what it has revoked since. */
async function withThief(outboundSat: readonly bigint[]): Promise<{ scene: Scene; thief: Thief }> {
  const scene = await begin({ format: 'anchors' });
  await scene.offer({ outboundSat });
  const thief = new Thief(scene.them);
  await scene.reconnect();
  await scene.pay(20_000n);
  await scene.disconnect();
  return { scene, thief };
}

/** A child of 68,000 bytes that spends the thief's anchor. */
function largeChild(scene: Scene, commitment: Transaction): Uint8Array {
  const { keys, node, monitor } = scene.them;
  const { fundingSat, holder } = monitor.params;
  const signer = keys.deriveChannelSigner(monitor.params, fundingSat);
  const script = p2wsh(anchorScript(holder.fundingPubkey));
  const vout = commitment.outputs.findIndex((output) => equalBytes(output.script, script));
  const input = { txid: transactionId(commitment), vout, sequence: 0xffff_fffd };
  const outputs = Array.from({ length: 2_200 }, () => ({ amountSat: 330n, script: keys.destinationScript() }));
  const inputs = [{ ...input, scriptSig: new Uint8Array(0), witness: [] }];
  const prevouts = [{ amountSat: 330n, script }];
  const { tx } = node.wallet.bump({
    tx: { version: 2, inputs, outputs, locktime: 0 },
    prevouts,
    witnessWeight: 116,
    feeratePerKw: 300,
    mostSat: 100_000n,
  });
  return encodeTransaction(withWitness(tx, 0, signer.signHolderAnchor({ tx, inputIndex: 0 })));
}

describe('a revoked commitment', () => {
  it('is punished whatever spends its anchor in the same block, however large', async () => {
    const { scene, thief } = await withThief([]);
    const commitment = await scene.submit(thief.commitment);
    const child = largeChild(scene, commitment);
    expect(child.length).toBeGreaterThan(65_535);
    await scene.submit(child);
    const ledger = new Ledger(scene, scene.us);
    await scene.mine(3);
    expect(scene.us.node.manager.channels()[0]?.frozen).toBeUndefined();
    expect(ledger.gainedSat).toBeGreaterThan(995_000n);
  });

  it('is punished with all of its HTLCs when it is seen two blocks before its delay ends', async () => {
    const { scene, thief } = await withThief([300_000n, 20_000n, 15_000n, 10_000n]);
    const revoked = await scene.submit(thief.commitment);
    await scene.mineUnseen(19);
    await scene.mine(41);
    const worth = revoked.outputs.map(({ amountSat }) => amountSat).filter((amountSat) => amountSat > 330n);
    expect(spentSat(scene, revoked).filter((amountSat) => amountSat > 330n)).toEqual(worth);
  });

  it('is punished at a fee that rises by replacements which the network takes', async () => {
    const { scene, thief } = await withThief([100_000n, ...Array.from({ length: 9 }, () => 6_000n)]);
    setFeerate(scene, 12_000);
    await scene.submit(thief.commitment);
    await scene.mine(1);
    setFeerate(scene, 17_000);
    await scene.settle();
    expect(scene.refused).toEqual([]);
  });

  it('that takes the place of another while the record of that is read is punished for its own HTLCs', async () => {
    const scene = await begin({ format: 'anchors' });
    await scene.offer({ outboundSat: [50_000n] });
    const first = new Thief(scene.them);
    await scene.reconnect();
    await scene.offer({ outboundSat: [150_000n] });
    const second = new Thief(scene.them);
    await scene.reconnect();
    await scene.pay(20_000n);
    await scene.disconnect();
    // The store answers only when the test lets it.
    let answer = (): void => {};
    const gate = new Promise<void>((resolve) => (answer = resolve));
    const readBelow = scene.us.store.readBelow.bind(scene.us.store);
    const asked: string[] = [];
    scene.us.store.readBelow = async (prefix) => {
      asked.push(prefix);
      await gate;
      return readBelow(prefix);
    };
    await scene.submit(first.commitment);
    await scene.mine(1);
    [scene.oursAreLost, scene.theirsAreLost] = [true, true];
    await scene.reorg(1, true);
    const revoked = await scene.submit(second.commitment);
    await scene.mine(1);
    scene.oursAreLost = false;
    expect(new Set(asked).size).toBe(2);
    answer();
    await scene.mine(3);
    expect(spentSat(scene, revoked)).toContain(150_000n);
  });
});

describe('our commitment', () => {
  it.each([10, 1])('gives an HTLC of 300,000 sat with a coin of 60,000, %d blocks before it expires', async (left) => {
    const scene = await begin({ format: 'anchors' });
    await scene.offer({ inboundSat: [300_000n] });
    await scene.disconnect();
    scene.us.mayCloseAtDeadlines = false;
    await keepOneCoin(scene, 60_000n);
    await scene.mine(scene.expiry - left - 1 - scene.chain.height);
    const close = await scene.forceClose(scene.us);
    await scene.mine(14);
    expect(spentSat(scene, close)).toContain(300_000n);
    expect(scene.outcomesOf(scene.them)).toEqual(['succeeded']);
  });

  it('gives as many HTLCs as the coins pay for', async () => {
    const scene = await begin({ format: 'anchors' });
    await scene.offer({ inboundSat: Array.from({ length: 8 }, () => 40_000n) });
    await scene.disconnect();
    scene.us.mayCloseAtDeadlines = false;
    scene.them.mayCloseAtDeadlines = false;
    await keepOneCoin(scene, 60_000n);
    await scene.mine(scene.expiry - 38 - scene.chain.height);
    const close = await scene.forceClose(scene.us);
    setFeerate(scene, 12_500);
    await scene.mine(17);
    expect(spentSat(scene, close).filter((amountSat) => amountSat === 40_000n).length).toBeGreaterThan(0);
  });

  it('gives the only coin to the HTLC that has a deadline', async () => {
    const scene = await begin({ format: 'anchors' });
    await scene.offer({ outboundSat: [20_000n], inboundSat: [300_000n] });
    await scene.disconnect();
    scene.us.mayCloseAtDeadlines = false;
    scene.them.mayCloseAtDeadlines = false;
    scene.theirsAreLost = true;
    await keepOneCoin(scene, 500_000n);
    await scene.mine(scene.expiry - scene.chain.height);
    const close = await scene.forceClose(scene.us, { thenTheirsAreLost: true });
    const claimed = scene.us.monitor.packages.flatMap(({ outpoints }) =>
      outpoints.map(({ vout }) => close.outputs[vout]?.amountSat),
    );
    expect(claimed).toContain(300_000n);
  });

  it('keeps the coins of its HTLC transaction through a restart', async () => {
    const scene = await begin({ format: 'anchors' });
    await scene.offer({ inboundSat: [50_000n] });
    await scene.forceClose(scene.us);
    const spent = (): number =>
      scene.us.monitor.packages.reduce(
        (sum, { tx }) => sum + scene.us.node.wallet.coinsSpentBy(transactionId(tx)).length,
        0,
      );
    expect(spent()).toBe(1);
    scene.us.restart();
    await scene.settle();
    expect(spent()).toBe(1);
  });

  it('is known for ours where it is the one before the newest', async () => {
    const scene = await begin({ format: 'anchors' });
    const before = scene.us.monitor;
    scene.withheld = ['revoke_and_ack'];
    scene.them.node.pay(scene.us.node.invoice(50_000_000n));
    await scene.settle();
    await scene.disconnect();
    await scene.submit(scene.commitmentOf(scene.us, before));
    await scene.mine(1);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('holderCommitment');
  });
});

describe('their commitment', () => {
  it('gives an HTLC of 5,000 sat not at the cost of our balance', async () => {
    const scene = await begin({ format: 'anchors' });
    await scene.offer({ inboundSat: [5_000n] });
    await scene.disconnect();
    scene.us.mayCloseAtDeadlines = false;
    await scene.mine(scene.expiry - 15 - scene.chain.height);
    scene.oursAreLost = true;
    await scene.forceClose(scene.them);
    await scene.mine(12);
    const fees = scene.us.monitor.packages.map(({ tx }) => scene.feeSat(tx));
    expect(fees).toHaveLength(2);
    for (const feeSat of fees) expect(feeSat).toBeLessThan(2_501n);
  });

  it('gives our balance without the haste of an hour in which blocks are dear', async () => {
    const scene = await begin({ format: 'anchors' });
    const ledger = new Ledger(scene, scene.us);
    setFeerate(scene, 125_000);
    await scene.forceClose(scene.them);
    setFeerate(scene, 1_000);
    await scene.mine(2);
    expect(ledger.gainedSat).toBeGreaterThanOrEqual((scene.balanceSat(scene.us) * 9n) / 10n);
  });
});
