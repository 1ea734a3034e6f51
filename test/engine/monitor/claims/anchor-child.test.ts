import { beforeEach, describe, expect, it } from 'vitest';
import { transactionId, type Transaction } from '../../../../worker/engine/transactions/transaction.ts';
import { ClosingNode, COMMITMENT_PER_KW, existing, idOf, outpointsOf, weightOf } from '../../manager/closing-node.ts';
import { paidFrom } from '../../wallet/paid.ts';

const FEERATE = 4000;
/** For so many blocks after its commitment a child may still come. */
const PATIENCE = 6;
/** Of a child and the next, where nothing hurries. */
const BETWEEN = 15;

let closing: ClosingNode;
let beforeSat: bigint;
let commitment: Transaction;
let child: Transaction;

beforeEach(async () => {
  closing = await ClosingNode.begin();
  beforeSat = closing.spendableSat;
  const { commitment: parent, child: first } = await closing.forceClose(FEERATE);
  commitment = existing(parent);
  child = existing(first);
});

/** The fee of our commitment, which the start's channel pays at its own feerate. */
const commitmentFeeSat = (): bigint => 1_000_000n - commitment.outputs.reduce((sum, each) => sum + each.amountSat, 0n);

const coinsOf = (tx: Transaction): string[] => outpointsOf(tx).slice(1);

const send = (amountSat: bigint | 'all'): Transaction =>
  closing.node.turn(
    () => paidFrom(closing.node.wallet, ELSEWHERE, amountSat, { feeratePerKw: FEERATE, reserveSat: 0n }).tx,
  );

const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

describe('the child of our commitment', () => {
  it('brings both to the feerate', () => {
    const feeSat = closing.feeOf(child) + commitmentFeeSat();
    const weight = weightOf(child, commitment);
    expect(feeSat * 1000n).toBeGreaterThanOrEqual(weight * BigInt(FEERATE));
    expect(feeSat * 1000n).toBeLessThan((weight + 8n) * BigInt(FEERATE));
  });

  it('keeps its coins: a later payment spends others', () => {
    expect(closing.spendableSat).toBeLessThan(beforeSat);
    const sent = send('all');
    expect(outpointsOf(sent).filter((outpoint) => coinsOf(child).includes(outpoint))).toEqual([]);
  });

  it('is durable with its coins before it goes out', async () => {
    const silent = await ClosingNode.begin();
    silent.setFeerate(FEERATE);
    silent.node.turn(() =>
      silent.node.manager.forceCloseChannel(silent.node.manager.channels()[0]?.key ?? '', { unconfirmedState: true }),
    );
    expect(silent.node.broadcasts).toEqual([]);
    expect((await silent.leaving()).child).toEqual(child);
    const [[, monitor] = []] = silent.node.manager.chainMonitor.monitors();
    expect(monitor?.anchorChild?.tx).toEqual(child);
  });

  it('is broadcast again as it is', async () => {
    for (let block = 0; block < 3; block++) expect((await closing.mined()).child).toEqual(child);
    for (const feerate of [FEERATE / 2, FEERATE + FEERATE / 4 - 1]) {
      closing.setFeerate(feerate);
      expect((await closing.mined()).child).toEqual(child);
    }
  });

  it('is not made for a commitment that pays enough', async () => {
    const enough = await ClosingNode.begin();
    const { commitment: parent, child: none } = await enough.forceClose(COMMITMENT_PER_KW);
    expect([idOf(parent), idOf(none)]).toEqual([idOf(commitment), 'none']);
    enough.restart();
    enough.setFeerate(FEERATE);
    expect((await enough.mined()).child).toEqual(child);
  });

  it('waits for coins where there are none', async () => {
    const poor = await ClosingNode.begin();
    const { wallet } = poor.node;
    const all = poor.node.turn(() => paidFrom(wallet, ELSEWHERE, 'all', { feeratePerKw: 253, reserveSat: 0n }));
    expect(idOf((await poor.forceClose(FEERATE)).child)).toBe('none');
    poor.node.turn(() => wallet.transactionDropped(all.txid));
    expect((await poor.mined()).child).toEqual(child);
  });
});

describe('a feerate that has risen by a quarter, after fifteen blocks in which nothing hurried,', () => {
  const risen = FEERATE + FEERATE / 4;

  it('replaces the child, with its coins and its change', async () => {
    closing.setFeerate(risen);
    expect((await closing.mined()).child).toEqual(child);
    closing.height += BETWEEN - 2;
    const next = existing((await closing.mined()).child);
    expect(idOf(next)).not.toBe(idOf(child));
    expect(outpointsOf(next)).toEqual(outpointsOf(child));
    expect(next.outputs.map(({ script }) => script)).toEqual(child.outputs.map(({ script }) => script));
    const feeSat = closing.feeOf(next);
    expect((feeSat + commitmentFeeSat()) * 1000n).toBeGreaterThanOrEqual(weightOf(next, commitment) * BigInt(risen));
    // BIP 125: the relay of the replacement is paid beside what the replaced one paid.
    expect((feeSat - closing.feeOf(child)) * 4n).toBeGreaterThanOrEqual(weightOf(next));
    expect(closing.node.wallet.coinsSpentBy(transactionId(child))).toEqual([]);
    expect(closing.node.wallet.coinsSpentBy(transactionId(next))).toHaveLength(next.inputs.length - 1);
    expect((await closing.mined()).child).toEqual(next);
  });

  it('and is confirmed all the same, where a miner had not seen the next one', async () => {
    closing.setFeerate(risen);
    expect((await closing.mined()).child).toEqual(child);
    closing.height += BETWEEN - 2;
    const next = existing((await closing.mined()).child);
    closing.mine(commitment, child);
    for (let block = 0; block <= PATIENCE; block++) await closing.mined();
    expect(closing.node.wallet.coinsSpentBy(transactionId(next))).toEqual([]);
    expect(closing.spendableSat).toBe(beforeSat - closing.feeOf(child) + 330n);
  });
});

describe('after a restart', () => {
  it('the same child goes out, and keeps its coins', async () => {
    const { spendableSat } = closing;
    closing.restart();
    expect((await closing.leaving()).child).toEqual(child);
    expect(closing.spendableSat).toBe(spendableSat);
  });

  it('a guess does not replace it', async () => {
    for (let block = 0; block < BETWEEN; block++) await closing.mined();
    expect(await closing.leavingAfterRestart(2 * FEERATE, 'guessed')).toEqual([commitment, child]);
    const [, next] = await closing.leavingAfterRestart(2 * FEERATE, 'estimated');
    expect(idOf(next)).not.toBe(idOf(child));
    expect(outpointsOf(existing(next))).toEqual(outpointsOf(child));
  });

  it('a feerate that has risen replaces it as before', async () => {
    closing.restart();
    closing.setFeerate(2 * FEERATE);
    const next = existing((await closing.mined()).child);
    expect(outpointsOf(next)).toEqual(outpointsOf(child));
    closing.restart();
    expect((await closing.leaving()).child).toEqual(next);
  });

  it('coins that are not awaited any more come back', async () => {
    await closing.mined(commitment);
    closing.height += PATIENCE;
    closing.restart();
    expect(closing.spendableSat).toBe(beforeSat);
    await closing.leaving();
    expect([...closing.disk.durable.keys()].filter((key) => key.endsWith('/child'))).toEqual([]);
  });
});

describe('the coins of the child', () => {
  it('come back as its change, and stay there for ever', async () => {
    await closing.mined(commitment, child);
    const leftSat = beforeSat - closing.feeOf(child) + 330n;
    expect(closing.spendableSat).toBe(leftSat);
    for (let block = 0; block < 120; block++) closing.mine();
    expect(closing.spendableSat).toBe(leftSat);
    closing.restart();
    expect(closing.spendableSat).toBe(leftSat);
  });

  it('come back as its change, where it is confirmed some blocks later', async () => {
    await closing.mined(commitment);
    const leftSat = beforeSat - closing.feeOf(child) + 330n;
    for (let block = 2; block < PATIENCE; block++) await closing.mined();
    await closing.mined(child);
    for (let block = 0; block < PATIENCE; block++) await closing.mined();
    expect(closing.spendableSat).toBe(leftSat);
  });

  it('wait for it a few blocks, and then are free: the commitment is confirmed without it', async () => {
    const { spendableSat } = closing;
    expect(idOf((await closing.mined(commitment)).child)).toBe('none');
    for (let block = 1; block < PATIENCE; block++) {
      expect(closing.spendableSat).toBe(spendableSat);
      expect(idOf((await closing.mined()).child)).toBe('none');
    }
    await closing.mined();
    expect(closing.spendableSat).toBe(beforeSat);
    // Confirmed after all, it counts.
    const leftSat = beforeSat - closing.feeOf(child) + 330n;
    await closing.mined(child);
    expect(closing.spendableSat).toBe(leftSat);
  });

  it('are free at once where the commitment of the counterparty is confirmed', async () => {
    const counterparty = await ClosingNode.begin('b');
    const theirs = existing((await counterparty.forceClose(COMMITMENT_PER_KW)).commitment);
    expect(idOf(theirs)).not.toBe(idOf(commitment));
    await closing.mined(theirs);
    expect(closing.spendableSat).toBe(beforeSat);
    // Back to where it was, the commitment goes out with a child again.
    closing.disconnect(theirs);
    const again = existing((await closing.mined()).child);
    expect(outpointsOf(again)).toEqual(outpointsOf(child));
    expect(closing.spendableSat).toBeLessThan(beforeSat);
  });

  it('are free also where no new block comes with the news', async () => {
    const counterparty = await ClosingNode.begin('b');
    const transaction = existing((await counterparty.forceClose(COMMITMENT_PER_KW)).commitment);
    const { height } = closing;
    closing.node.turn(() => closing.node.manager.transactionsConfirmed(height, [{ index: 1, transaction }]));
    expect(closing.spendableSat).toBe(beforeSat);
  });

  it('are spent where the wallet hears of its block before the monitor does', async () => {
    closing.node.turn(() => closing.node.wallet.transactionConfirmed(child, closing.height));
    const leftSat = beforeSat - closing.feeOf(child) + 330n;
    closing.setFeerate(2 * FEERATE);
    expect((await closing.mined()).child).toEqual(child);
    await closing.mined(commitment);
    for (let block = 0; block <= PATIENCE; block++) await closing.mined();
    expect(closing.spendableSat).toBe(leftSat);
  });

  it('are free at once where somebody else has spent the anchor', async () => {
    await closing.mined(commitment);
    const [anchor] = child.inputs;
    const swept = { ...child, inputs: anchor === undefined ? [] : [anchor], outputs: [] };
    await closing.mined(swept);
    expect(closing.spendableSat).toBe(beforeSat);
  });

  it('are taken again after the mempool has dropped it', async () => {
    const { spendableSat } = closing;
    closing.node.turn(() => closing.node.wallet.transactionDropped(transactionId(child)));
    expect(closing.spendableSat).toBe(beforeSat);
    expect((await closing.mined()).child).toEqual(child);
    expect(closing.spendableSat).toBe(spendableSat);
  });

  it('are others where a payment has spent them meanwhile', async () => {
    closing.node.turn(() => closing.node.wallet.transactionDropped(transactionId(child)));
    const sent = send(beforeSat - 5_000_000n);
    expect(outpointsOf(sent)).toEqual(expect.arrayContaining(coinsOf(child)));
    const { child: next } = await closing.mined(sent);
    expect(coinsOf(existing(next)).filter((coin) => outpointsOf(sent).includes(coin))).toEqual([]);
    expect(outpointsOf(existing(next))[0]).toBe(outpointsOf(child)[0]);
  });

  it('still belong to it after a reorganisation', async () => {
    const { spendableSat } = closing;
    await closing.mined(commitment, child);
    closing.disconnect(child, commitment);
    expect((await closing.mined()).child).toEqual(child);
    expect(closing.spendableSat).toBe(spendableSat);
  });
});
