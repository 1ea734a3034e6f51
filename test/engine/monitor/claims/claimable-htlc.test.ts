import { describe, expect, it } from 'vitest';
import type { ChannelMonitor } from '../../../../worker/engine/monitor/channel-monitor.ts';
import { isClaimableOnChain } from '../../../../worker/engine/monitor/claims/claimable-htlc.ts';
import { commitmentStake } from '../../../../worker/engine/monitor/claims/commitment-stake.ts';
import { msat } from '../../../../worker/engine/primitives/units.ts';
import { Coins } from './coins.ts';
import { closedBy, confirmed, HTLCS, htlcOf, KEYS, openMonitor, spending } from './closed.ts';

/** When HTLC 2 expires. */
const EXPIRY = 600;

const isClaimable = (monitor: ChannelMonitor, ...heights: readonly number[]): readonly boolean[] =>
  heights.map((height) => isClaimableOnChain(KEYS, new Coins(), monitor, 2n, { height, feeratePerKw: 1_000 }));

describe('an HTLC to us can be claimed out of the chain', () => {
  it('before a close until 36 blocks before it expires', () => {
    expect(isClaimable(openMonitor(), EXPIRY - 37, EXPIRY - 36)).toEqual([true, false]);
  });

  it.each(['holder', 'counterparty'] as const)('out of a commitment of %s until 18 before, and untaken', (closer) => {
    const { monitor, commitment } = closedBy(closer);
    expect(isClaimable(monitor, EXPIRY - 19, EXPIRY - 18)).toEqual([true, false]);
    const spent = (id: bigint): ChannelMonitor => {
      const vout = commitment.htlcs.find(({ htlc }) => htlc.id === id)?.outputIndex ?? -1;
      return { ...monitor, outputSpends: [confirmed(spending(commitment.tx, [vout]), 401)] };
    };
    expect([spent(2n), spent(3n)].map((each) => isClaimable(each, 410))).toEqual([[false], [true]]);
  });

  it('not where either has a commitment that it has no output in', () => {
    const htlcs = HTLCS.filter(({ id }) => id !== 2n);
    const [without, dust] = [htlcs, [...htlcs, htlcOf(2, 'inbound', 600n, EXPIRY)]].map((each) =>
      openMonitor('static_remotekey', each),
    );
    const full = openMonitor('static_remotekey');
    for (const lacking of [without ?? full, dust ?? full]) {
      const { holderCommitment, counterpartyCommitments } = lacking;
      expect(isClaimable({ ...full, holderCommitment }, 410)).toEqual([false]);
      expect(isClaimable({ ...full, counterpartyCommitments }, 410)).toEqual([false]);
      const two = [...full.counterpartyCommitments, ...counterpartyCommitments];
      expect(isClaimable({ ...full, counterpartyCommitments: two }, 410)).toEqual([false]);
    }
  });

  it('where it pays for the transaction that takes it, which of ours and theirs is not the same', () => {
    // At 1,000 sat per 1,000 weight HTLC-success takes 703 sat, HTLC-timeout 663: BOLT 3, Trimmed Outputs.
    const worth = (amountSat: bigint): { readonly ours: readonly boolean[]; readonly both: readonly boolean[] } => {
      const full = openMonitor('static_remotekey');
      const small = openMonitor('static_remotekey', [htlcOf(2, 'inbound', amountSat, EXPIRY)]);
      return {
        ours: isClaimable({ ...full, holderCommitment: small.holderCommitment }, 410),
        both: isClaimable({ ...full, counterpartyCommitments: small.counterpartyCommitments }, 410),
      };
    };
    expect(worth(354n + 703n)).toEqual({ ours: [true], both: [true] });
    expect(worth(354n + 702n)).toEqual({ ours: [false], both: [true] });
    expect(worth(354n + 662n)).toEqual({ ours: [false], both: [false] });
  });

  it('not where ours is never to go out, nor out of what either had revoked', () => {
    expect(isClaimable({ ...openMonitor(), closed: 'never' }, 410)).toEqual([false]);
    expect(isClaimable({ ...openMonitor(), closed: 'wait' }, 410)).toEqual([true]);
    expect(isClaimable(closedBy('revoked').monitor, 410)).toEqual([false]);
    const { monitor } = closedBy('holder');
    const { holderCommitment: previousHolderCommitment } = monitor;
    const holderCommitment = { ...previousHolderCommitment, number: previousHolderCommitment.number + 1 };
    expect(isClaimable({ ...monitor, holderCommitment, previousHolderCommitment }, 410)).toEqual([false]);
  });

  it('out of ours with anchors where coins suffice for HTLC-success, a coin and change, at the estimate', () => {
    const withCoins = (monitor: ChannelMonitor, availableSat: bigint): boolean => {
      const coins = Object.assign(new Coins(), { availableSat });
      return isClaimableOnChain(KEYS, coins, monitor, 2n, { height: 410, feeratePerKw: 2_000 });
    };
    const enoughSat = 2n * (706n + 272n + 124n);
    for (const needing of [closedBy('holder').monitor, openMonitor()])
      expect([enoughSat, enoughSat - 1n].map((sat) => withCoins(needing, sat))).toEqual([true, false]);
    const { monitor: theirs } = closedBy('counterparty');
    const { monitor: fixed } = closedBy('holder', 'static_remotekey');
    expect([theirs, fixed, openMonitor('static_remotekey')].map((each) => withCoins(each, 0n))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('where it is to us', () => {
    const outbound = openMonitor('anchors', [htlcOf(2, 'outbound', 40_000n, EXPIRY)]);
    expect(isClaimable(outbound, 410)).toEqual([false]);
    expect(isClaimable(closedBy('holder', 'anchors', [htlcOf(2, 'outbound', 40_000n, EXPIRY)]).monitor, 410)).toEqual([
      false,
    ]);
  });
});

describe('what depends on our commitment', () => {
  it('is our balance with HTLCs that may come back, and those to us with a preimage, which are urgent', () => {
    // 18 blocks are for taking an HTLC out of a commitment that is in the chain.
    expect(commitmentStake(openMonitor())).toEqual({
      mostSat: 700_000n + 50_000n + 100n + 40_000n,
      urgentSat: 40_000n,
      deadline: EXPIRY + 1 - 18,
    });
  });

  it('has the earliest of several deadlines', () => {
    const twin = { ...htlcOf(2, 'inbound', 20_000n, EXPIRY - 40), id: 9n };
    const late = { ...htlcOf(2, 'inbound', 20_000n, EXPIRY + 40), id: 10n };
    expect(commitmentStake(openMonitor('anchors', [...HTLCS, twin, late]))).toMatchObject({
      urgentSat: 80_000n,
      deadline: EXPIRY - 40 + 1 - 18,
    });
  });

  it('is counted in whole satoshi, rounded down', () => {
    const broken = { ...htlcOf(2, 'inbound', 40_000n, EXPIRY), amountMsat: msat(40_000_999n) };
    expect(commitmentStake(openMonitor('anchors', [broken]))).toMatchObject({ mostSat: 740_000n, urgentSat: 40_000n });
  });

  it('is not urgent where nothing has an output that they could take back', () => {
    const dust = htlcOf(2, 'inbound', 300n, EXPIRY);
    expect(commitmentStake(openMonitor('anchors', [dust]))).toEqual({
      mostSat: 700_300n,
      urgentSat: 0n,
      deadline: undefined,
    });
    // An HTLC to us is received there, and HTLC-success weighs more.
    const small = openMonitor('static_remotekey', [htlcOf(2, 'inbound', 354n + 702n, EXPIRY)]);
    expect(commitmentStake(small).urgentSat).toBe(0n);
  });
});
