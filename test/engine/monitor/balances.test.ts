import { describe, expect, it } from 'vitest';
import {
  claimableBalances,
  closeBalances,
  closingSpec,
  isCertainBalance,
  unspentClaims,
  worthMsat,
  type Balance,
  type BalanceConditions,
} from '../../../worker/engine/monitor/balances.ts';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import { equalBytes, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { p2wpkh } from '../../../worker/engine/transactions/script.ts';
import { CLOSED_AT, closedBy, confirmed, HTLCS, KEYS, openMonitor, spending } from './claims/closed.ts';

/** Of an amount that is an HTLC's: the kind, and the height that it names. */
const named = (balance: Balance): string => {
  switch (balance.kind) {
    case 'claimableAwaitingConfirmations':
      return `${balance.kind} ${balance.confirmationHeight}`;
    case 'contentiousClaimable':
      return `${balance.kind} ${balance.timeoutHeight}`;
    case 'maybeTimeoutClaimableHtlc':
      return `${balance.kind} ${balance.claimableHeight}`;
    case 'maybePreimageClaimableHtlc':
      return `${balance.kind} ${balance.expiryHeight}`;
    default:
      return balance.kind;
  }
};

const at = (height: number): BalanceConditions => ({ height, destinationScript: p2wpkh(new Uint8Array(33)) });

const balances = (monitor: ChannelMonitor, height = CLOSED_AT): readonly string[] =>
  claimableBalances(KEYS, monitor, at(height))
    .toSorted((a, b) => Number(a.amountSat - b.amountSat))
    .map(named);

const OUTBOUND = 'maybeTimeoutClaimableHtlc 501';
const INBOUND = ['maybePreimageClaimableHtlc 611', 'contentiousClaimable 601'];

describe('what of a channel is ours', () => {
  it('before a close is what our commitment would give', () => {
    expect(balances(openMonitor())).toEqual([...INBOUND, OUTBOUND, 'claimableOnChannelClose']);
  });

  it('in ours waits for its delay, in theirs for the next block, and shows the HTLCs', () => {
    const awaiting = (height: number): string => `claimableAwaitingConfirmations ${height}`;
    const [ours, theirs] = [closedBy('holder').monitor, closedBy('counterparty').monitor];
    expect(balances(ours)).toEqual([...INBOUND, OUTBOUND, awaiting(CLOSED_AT + 144)]);
    expect(balances(ours, CLOSED_AT + 200).at(-1)).toBe(awaiting(CLOSED_AT + 201));
    expect(balances(theirs)).toEqual([...INBOUND, OUTBOUND, awaiting(CLOSED_AT + 1)]);
  });

  it('is all that they had revoked', () => {
    const revoked = 'counterpartyRevokedOutputClaimable';
    expect(balances(closedBy('revoked').monitor)).toEqual([
      revoked,
      revoked,
      revoked,
      revoked,
      `claimableAwaitingConfirmations ${CLOSED_AT + 1}`,
    ]);
  });

  it('leaves out HTLCs of ours whose preimage is known, and what is spent', () => {
    const { monitor, commitment } = closedBy('counterparty');
    const paid = HTLCS.filter(({ id }) => id === 1n).map(({ paymentHash }) => paymentHash);
    const known = new Map([...monitor.preimages, ...openMonitor().preimages]);
    for (const hash of paid) known.set(toHex(hash), new Uint8Array(32));
    expect(balances({ ...monitor, preimages: known }).map((each) => each.split(' ')[0])).not.toContain(
      'maybeTimeoutClaimableHtlc',
    );
    const spent = [confirmed(spending(commitment.tx, [commitment.toOtherIndex ?? 0]), CLOSED_AT + 1)];
    expect(balances({ ...monitor, outputSpends: spent })).toEqual([...INBOUND, OUTBOUND]);
    expect(unspentClaims(KEYS, { ...monitor, outputSpends: spent })).toHaveLength(3);
    const { balances: first, claims } = closeBalances(KEYS, { ...monitor, outputSpends: spent }, at(CLOSED_AT));
    expect([first.length, claims.length]).toEqual([4, 4]);
  });

  it('where ours does not go out is what theirs would give', () => {
    const txidOf = (closed: ChannelMonitor['closed']): Uint8Array | undefined =>
      closeBalances(KEYS, { ...openMonitor(), closed }, at(CLOSED_AT)).close.txid;
    const [ours, theirs] = (['holder', 'counterparty'] as const).map(
      (closer) => closedBy(closer).monitor.confirmedSpend,
    );
    const is = (closed: ChannelMonitor['closed']): readonly boolean[] =>
      [ours, theirs].map((each) => equalBytes(txidOf(closed) ?? new Uint8Array(0), each?.txid ?? new Uint8Array(1)));
    expect((['no', 'broadcast', 'wait', 'never'] as const).map(is)).toEqual([
      [true, false],
      [true, false],
      [false, true],
      [false, true],
    ]);
  });

  it('is certain but for HTLCs that may be the counterparty’s', () => {
    const certain = claimableBalances(KEYS, closedBy('holder').monitor, at(CLOSED_AT)).filter(isCertainBalance);
    expect(certain.map(({ kind }) => kind).toSorted()).toEqual([
      'claimableAwaitingConfirmations',
      'contentiousClaimable',
    ]);
  });
});

describe('the commitment that closes a channel', () => {
  it('is what is confirmed, or expected, and ours where it is not known', () => {
    const { monitor } = closedBy('counterparty');
    const [version] = monitor.counterpartyCommitments;
    if (version === undefined) throw new Error('there is a commitment');
    const next = { ...version, number: version.number + 1, spec: { ...version.spec, htlcs: [] } };
    const two = { ...monitor, counterpartyCommitments: [version, next] };
    expect(closingSpec(two)).toBe(version.spec);
    expect(closingSpec({ ...two, confirmedSpend: undefined })).toBe(monitor.holderCommitment.spec);
    expect(closingSpec({ ...two, confirmedSpend: undefined, closed: 'never' })).toBe(next.spec);
    expect(closingSpec({ ...two, counterpartyCommitments: [next] })).toBe(monitor.holderCommitment.spec);
  });

  it('is worth our balance, HTLCs of ours that nobody was paid, and those to us with a preimage', () => {
    const { holderCommitment, preimages } = openMonitor();
    const worth = (isPaid: boolean): bigint => worthMsat(holderCommitment.spec, preimages, () => isPaid);
    expect(worth(false)).toBe(700_000_000n + 50_000_000n + 100_000n + 40_000_000n);
    expect(worth(true)).toBe(740_000_000n);
    const [ours] = HTLCS;
    const known = new Map(ours && [[toHex(ours.paymentHash), new Uint8Array(32)]]);
    expect(worthMsat(holderCommitment.spec, known, () => false)).toBe(700_100_000n);
  });
});
