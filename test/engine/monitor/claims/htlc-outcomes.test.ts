import { describe, expect, it } from 'vitest';
import type { ChannelMonitor } from '../../../../worker/engine/monitor/channel-monitor.ts';
import { htlcOutcomes, offeredHtlcs, paidAfterAll } from '../../../../worker/engine/monitor/claims/htlc-outcomes.ts';
import { learntPreimages } from '../../../../worker/engine/monitor/claims/learnt-preimages.ts';
import { equalBytes, toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../../../worker/engine/primitives/hash.ts';
import {
  CLOSED_AT,
  closedBy,
  confirmed,
  htlcOf,
  KEYS,
  openMonitor,
  preimageOf,
  spending,
  type Closed,
} from './closed.ts';

/** The ids of those that have failed at heights, and of those that are paid. */
const outcomes = (monitor: ChannelMonitor, ...heights: readonly number[]): readonly (readonly string[])[] =>
  heights.map((height) =>
    htlcOutcomes(KEYS, monitor, height).map(
      ({ htlc, resolution }) => `${htlc.id} ${resolution.kind === 'fulfilled' ? 'paid' : 'failed'}`,
    ),
  );

const decided = (...ids: readonly bigint[]): ChannelMonitor['decidedHtlcs'] =>
  new Map(ids.map((id) => [id, 'failed'] as const));

const vout = ({ commitment }: Closed, id: number): number =>
  commitment.htlcs.find(({ htlc }) => htlc.id === BigInt(id))?.outputIndex ?? -1;

const knowing = (monitor: ChannelMonitor, id: number): ChannelMonitor => ({
  ...monitor,
  preimages: new Map([[toHex(sha256(preimageOf(id))), preimageOf(id)]]),
});

describe.each(['holder', 'counterparty', 'revoked'] as const)('in a commitment, %s,', (closer) => {
  const closed = closedBy(closer);
  const { monitor, commitment } = closed;

  it('an HTLC without an output has failed once that is six blocks deep', () => {
    expect(outcomes(monitor, CLOSED_AT + 4, CLOSED_AT + 5, 10_000)).toEqual([[], ['4 failed'], ['4 failed']]);
  });

  it('an HTLC has failed six blocks after its output was spent by no preimage', () => {
    const spent = { ...monitor, outputSpends: [confirmed(spending(commitment.tx, [vout(closed, 1)]), 501)] };
    expect(outcomes(spent, 505, 506)).toEqual([['4 failed'], ['1 failed', '4 failed']]);
    const other = { ...monitor, outputSpends: [confirmed(spending(commitment.tx, [vout(closed, 2)]), 501)] };
    expect(outcomes(other, 506)).toEqual([['4 failed']]);
  });

  it('one whose preimage is known is paid, at whatever height', () => {
    expect(outcomes(knowing(monitor, 1), CLOSED_AT)).toEqual([['1 paid']]);
  });

  it('what is decided is not decided again', () => {
    expect(outcomes({ ...knowing(monitor, 1), decidedHtlcs: decided(4n) }, 10_000)).toEqual([['1 paid']]);
    expect(outcomes({ ...monitor, decidedHtlcs: decided(1n, 4n) }, 10_000)).toEqual([[]]);
  });
});

it('of equal HTLCs in a revoked commitment none has failed before all of their outputs are spent', () => {
  const twin = { ...htlcOf(1, 'outbound', 50_000n, 500), id: 7n };
  const closed = closedBy('revoked', 'anchors', [htlcOf(1, 'outbound', 50_000n, 500), twin]);
  const [first, second] = closed.commitment.htlcs.map(({ outputIndex }) => outputIndex);
  const spent = (...spends: readonly (readonly [number | undefined, number])[]): ChannelMonitor => ({
    ...closed.monitor,
    outputSpends: spends.map(([index = -1, at]) => confirmed(spending(closed.commitment.tx, [index]), at)),
  });
  expect(outcomes(spent([first, 501]), 10_000)).toEqual([[]]);
  expect(outcomes(spent([first, 501], [second, 503]), 507, 508)).toEqual([[], ['1 failed', '7 failed']]);
  expect(outcomes(spent([second, 501], [first, 503]), 507, 508)).toEqual([[], ['1 failed', '7 failed']]);
});

it('nothing is decided before a close, in one of which nothing is known, and of a revoked one before its record is read', () => {
  expect(outcomes(openMonitor(), 10_000)).toEqual([[]]);
  const { monitor } = closedBy('counterparty');
  expect(outcomes({ ...monitor, counterpartyCommitments: [] }, 10_000)).toEqual([[]]);
  expect(outcomes({ ...closedBy('revoked').monitor, revoked: undefined }, 10_000)).toEqual([[]]);
});

it('in a close by both an HTLC that is in it no more has failed', () => {
  const { monitor } = closedBy('counterparty');
  const { confirmedSpend } = monitor;
  if (confirmedSpend === undefined) throw new Error('the close is confirmed');
  const both = { ...monitor, confirmedSpend: { ...confirmedSpend, spend: { kind: 'cooperative' } as const } };
  expect(outcomes(both, CLOSED_AT + 4, CLOSED_AT + 5)).toEqual([[], ['1 failed', '4 failed']]);
});

it('HTLCs of ours are counted once, out of whichever commitment', () => {
  const monitor = openMonitor();
  const other = htlcOf(8, 'outbound', 20_000n, 700);
  const previous = { ...monitor.holderCommitment, spec: { ...monitor.holderCommitment.spec, htlcs: [other] } };
  const revoked = { number: 1, spec: { ...previous.spec, htlcs: [other, { ...other, id: 9n }] } };
  const ids = offeredHtlcs({ ...monitor, previousHolderCommitment: previous, revoked }).map(({ id }) => id);
  expect(ids).toEqual([1n, 4n, 8n, 9n]);
});

it('an HTLC that had failed, and whose preimage is shown, is paid after all', () => {
  const { monitor } = closedBy('holder');
  const learnt = new Map([[toHex(sha256(preimageOf(1))), preimageOf(1)]]);
  expect(paidAfterAll(monitor, learnt)).toEqual([]);
  expect(paidAfterAll({ ...monitor, decidedHtlcs: decided(1n, 4n) }, learnt)).toMatchObject([
    { htlc: { id: 1n }, resolution: { kind: 'fulfilled', preimage: preimageOf(1) } },
  ]);
});

describe('a preimage that a transaction shows', () => {
  const shownBy = (monitor: ChannelMonitor, ...witness: readonly Uint8Array[]): readonly Uint8Array[] => [
    ...learntPreimages(monitor, spending(closedBy('holder').commitment.tx, [0], witness)).values(),
  ];

  it('is learnt once, where it is of an HTLC of ours', () => {
    const [ours, theirs] = [preimageOf(1), preimageOf(3)];
    const learnt = shownBy(openMonitor(), new Uint8Array(71), theirs, ours, preimageOf(99));
    expect(learnt.length === 1 && learnt.every((each) => equalBytes(each, ours))).toBe(true);
    expect(shownBy(knowing(openMonitor(), 1), ours)).toEqual([]);
  });
});
