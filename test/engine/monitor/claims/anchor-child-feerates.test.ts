import { describe, expect, it } from 'vitest';
import type { ChannelMonitor } from '../../../../worker/engine/monitor/channel-monitor.ts';
import { anchorChild, isAwaited, type AnchorChild } from '../../../../worker/engine/monitor/claims/anchor-child.ts';
import { commitmentStake } from '../../../../worker/engine/monitor/claims/commitment-stake.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import {
  encodeTransaction,
  transactionId,
  transactionWeight,
} from '../../../../worker/engine/transactions/transaction.ts';
import { CLOSED_AT, closedBy, confirmed, HTLCS, openMonitor, signer, spending } from './closed.ts';
import { Coins } from './coins.ts';

/** What the commitment pays. */
const COMMITMENT_PER_KW = 1_000;
/** Of the one HTLC whose preimage is known: 40,000 sat until 600, and 18 blocks for taking it. */
const DEADLINE = 583;

const parts = (coins: Coins): Parameters<typeof anchorChild>[0] => ({ secp, signer, coins });

function broadcast(htlcs = HTLCS): ChannelMonitor {
  const { commitment } = closedBy('holder', 'anchors', htlcs);
  return {
    ...openMonitor('anchors', htlcs),
    closed: 'broadcast',
    broadcastTransaction: encodeTransaction(commitment.tx),
  };
}

const at = (height: number, feeratePerKw: number) => ({ height, feeratePerKw });

/** The feerate of the child where the coins suffice for no more than a feerate. */
function feerate(mostPerKw: number, feeratePerKw: number, htlcs = HTLCS): number | undefined {
  const coins = new Coins();
  coins.mostPerKw = mostPerKw;
  return anchorChild(parts(coins), broadcast(htlcs), at(CLOSED_AT, feeratePerKw))?.feeratePerKw;
}

describe('the child of our commitment', () => {
  it('goes down in halves where coins do not suffice, as long as it adds something', () => {
    expect([8_000, 7_999, 3_999, 1_999].map((most) => feerate(most, 8_000))).toEqual([8_000, 4_000, 2_000, undefined]);
    expect(feerate(8_000, COMMITMENT_PER_KW)).toBeUndefined();
  });

  it('spends our anchor, and pays for the parent what that lacks', () => {
    const coins = new Coins();
    anchorChild(parts(coins), broadcast(), at(CLOSED_AT, 2_000));
    const { tx, ownerAnchorIndex } = closedBy('holder').commitment;
    const [request] = coins.asked;
    expect(request?.tx).toMatchObject({
      version: 2,
      locktime: 0,
      inputs: [{ txid: transactionId(tx), vout: ownerAnchorIndex, sequence: 0xffff_fffd }],
      outputs: [],
    });
    expect(request?.prevouts).toEqual([tx.outputs[ownerAnchorIndex ?? 0]]);
    const feeSat = tx.outputs.reduce((left, { amountSat }) => left - amountSat, 1_000_000n);
    expect(request?.parent).toEqual({ weight: transactionWeight(tx), feeSat });
    // The commitment pays for what it weighs with both signatures, which are missing here.
    const enough = Number((feeSat * 1_000n) / BigInt(transactionWeight(tx)));
    expect([enough, enough + 1].map((estimate) => feerate(1_000_000, estimate, HTLCS))).toEqual([
      undefined,
      enough + 1,
    ]);
  });

  it('costs no more than a tenth of what the commitment brings, and half where something hurries', () => {
    const cost = (costSat: bigint, mostPerKw: number, htlcs: typeof HTLCS = []): number | undefined => {
      const coins = new Coins();
      coins.costSat = costSat;
      coins.mostPerKw = mostPerKw;
      return anchorChild(parts(coins), broadcast(htlcs), at(CLOSED_AT, 8_000))?.feeratePerKw;
    };
    // Our balance is 700,000 sat.
    expect([70_000n, 70_001n].map((sat) => cost(sat, 8_000))).toEqual([8_000, undefined]);
    expect([70_000n, 70_001n].map((sat) => cost(sat, 4_000))).toEqual([4_000, undefined]);
    const { mostSat } = commitmentStake(broadcast());
    expect([mostSat / 2n, mostSat / 2n + 1n].map((sat) => cost(sat, 8_000, HTLCS))).toEqual([8_000, undefined]);
  });

  it('rises to a quarter of what is urgent, until its deadline', () => {
    const first = anchorChild(parts(new Coins()), broadcast(), at(CLOSED_AT, 2_000));
    expect(first).toMatchObject({ feeratePerKw: 2_000, since: CLOSED_AT, height: CLOSED_AT });
    const late = (height: number): AnchorChild | undefined => {
      const coins = new Coins();
      if (first !== undefined) coins.transactionMade(first.tx);
      return anchorChild(parts(coins), { ...broadcast(), anchorChild: first }, at(height, 2_000));
    };
    const most = late(DEADLINE - 2)?.feeratePerKw ?? 0;
    // 10,000 sat for the commitment and a child of 800.
    expect(most).toBeGreaterThan(4_000);
    expect(late(DEADLINE + 10)?.feeratePerKw).toBe(most);
    const half = late(CLOSED_AT + (DEADLINE - 2 - CLOSED_AT + 1) / 2)?.feeratePerKw ?? 0;
    expect(Math.abs(half - (most + 2_000) / 2)).toBeLessThan(most / 100);
  });

  it('gives back what coins it has where some went elsewhere, and is made of others', () => {
    const coins = new Coins();
    const first = anchorChild(parts(coins), broadcast(), at(CLOSED_AT, 2_000));
    const again = (): AnchorChild | undefined =>
      anchorChild(parts(coins), { ...broadcast(), anchorChild: first }, at(CLOSED_AT + 1, 2_000));
    coins.told.length = 0;
    expect([again(), coins.told]).toEqual([first, []]);
    coins.gone.add(coins.nameOf(first));
    const next = again();
    expect(next?.tx).not.toEqual(first?.tx);
    const [name, nextName] = [first, next].map((each) => coins.nameOf(each));
    expect(coins.told).toEqual([`seen ${name}`, `dropped ${name}`, `seen ${nextName}`]);
  });

  it('has a time that begins now where it is not known, and goes on where it is', () => {
    const made = anchorChild(parts(new Coins()), broadcast(), at(CLOSED_AT, 2_000));
    const again = (since: number): AnchorChild | undefined => {
      const before = made && { ...made, since };
      return anchorChild(parts(new Coins()), { ...broadcast(), anchorChild: before }, at(CLOSED_AT + 30, 9_000));
    };
    expect([again(0)?.since, again(CLOSED_AT - 5)?.since]).toEqual([CLOSED_AT + 30, CLOSED_AT - 5]);
  });
});

describe('a child', () => {
  const { monitor, commitment } = closedBy('holder');
  const coins = new Coins();
  const child = anchorChild(parts(coins), broadcast(), at(CLOSED_AT, 2_000));
  if (child === undefined) throw new Error('there is a child');
  const isAwaitedAt = (own: ChannelMonitor, ...heights: readonly number[]): readonly boolean[] =>
    heights.map((height) => isAwaited(own, child, coins, height));

  it('is awaited six blocks from its commitment on, or until another has taken the anchor', () => {
    expect(isAwaitedAt({ ...monitor, confirmedSpend: undefined }, 10_000)).toEqual([true]);
    expect(isAwaitedAt(monitor, CLOSED_AT + 5, CLOSED_AT + 6)).toEqual([true, false]);
    expect(isAwaitedAt(closedBy('counterparty').monitor, CLOSED_AT)).toEqual([false]);
    const [anchor] = child.tx.inputs;
    const swept = confirmed(spending(commitment.tx, [anchor?.vout ?? -1]), CLOSED_AT + 1);
    expect(isAwaitedAt({ ...monitor, outputSpends: [swept] }, CLOSED_AT + 2)).toEqual([false]);
  });

  it('is awaited until it is six blocks deep', () => {
    const own = { ...monitor, outputSpends: [confirmed(child.tx, CLOSED_AT + 1)] };
    expect(isAwaitedAt(own, CLOSED_AT + 5, CLOSED_AT + 6)).toEqual([true, false]);
  });

  it('is awaited where the wallet has it in the chain, and its monitor has not heard of it', () => {
    coins.confirmed.add(coins.nameOf(child));
    expect(isAwaitedAt(monitor, CLOSED_AT + 99)).toEqual([true]);
    expect(transactionId(child.tx)).toHaveLength(32);
  });
});
