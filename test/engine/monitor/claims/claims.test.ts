import { describe, expect, it } from 'vitest';
import type { ChannelMonitor } from '../../../../worker/engine/monitor/channel-monitor.ts';
import type { Claim } from '../../../../worker/engine/monitor/claims/claim.ts';
import { claimsOf } from '../../../../worker/engine/monitor/claims/claims.ts';
import { htlcTransaction } from '../../../../worker/engine/transactions/htlc-transaction.ts';
import type { Transaction } from '../../../../worker/engine/transactions/transaction.ts';
import { CLOSED_AT, closedBy, confirmed, KEYS, openMonitor, spending, type Closed } from './closed.ts';

const FORMATS = ['anchors', 'static_remotekey'] as const;
const NEXT = CLOSED_AT + 1;

/** Kind, output, and when it can be taken by us and by them. */
type Row = readonly [Claim['kind'], number | undefined, number, number | undefined];

const rows = (monitor: ChannelMonitor): readonly Row[] =>
  claimsOf(KEYS, monitor)
    .map(({ kind, outpoint, validFrom, deadline }): Row => [kind, outpoint.vout, validFrom, deadline])
    .toSorted(byOutput);
const byOutput = ([, a = 0]: Row, [, b = 0]: Row): number => a - b;
const sorted = (...expected: readonly Row[]): readonly Row[] => expected.toSorted(byOutput);

const outputOf = ({ commitment }: Closed, id: number): number | undefined =>
  commitment.htlcs.find(({ htlc }) => htlc.id === BigInt(id))?.outputIndex;

const withSpends = ({ monitor }: Closed, ...spends: readonly (readonly [Transaction, number])[]): ChannelMonitor => ({
  ...monitor,
  outputSpends: spends.map(([tx, height]) => confirmed(tx, height)),
});

describe.each(FORMATS)('what is ours, with %s,', (format) => {
  it('in our commitment', () => {
    const closed = closedBy('holder', format);
    const { toOwnerIndex } = closed.commitment;
    expect(rows(closed.monitor)).toEqual(
      sorted(
        ['delayed', toOwnerIndex, CLOSED_AT + 144, undefined],
        ['holderHtlc', outputOf(closed, 1), 501, undefined],
        ['holderHtlc', outputOf(closed, 2), NEXT, 601],
      ),
    );
  });

  it('in our commitment, after some HTLCs were taken', () => {
    const closed = closedBy('holder', format);
    const [claim] = claimsOf(KEYS, closed.monitor).filter((each) => each.outpoint.vout === outputOf(closed, 1));
    if (claim?.kind !== 'holderHtlc') throw new Error('an HTLC of ours is claimed');
    const { inputs, outputs } = htlcTransaction(claim.input, claim.outpoint.txid, claim.htlc);
    const other = spending(closed.commitment.tx, [outputOf(closed, 2) ?? 0]);
    // The HTLC transaction has its input, and its output, in second place.
    const both = { ...other, inputs: [...other.inputs, ...inputs], outputs: [...other.outputs, ...outputs] };
    const left = withSpends(closed, [both, 505]);
    expect(rows(left)).toEqual(
      sorted(
        ['delayed', closed.commitment.toOwnerIndex, CLOSED_AT + 144, undefined],
        ['delayed', 1, 505 + 144, undefined],
      ),
    );
    const [, swept] = claimsOf(KEYS, left);
    expect(swept).toMatchObject({ amountSat: outputs[0]?.amountSat, script: outputs[0]?.script });
  });

  it('in their commitment', () => {
    const closed = closedBy('counterparty', format);
    expect(rows(closed.monitor)).toEqual(
      sorted(
        ['toRemote', closed.commitment.toOtherIndex, NEXT, undefined],
        ['counterpartyHtlc', outputOf(closed, 1), 501, undefined],
        ['counterpartyHtlc', outputOf(closed, 2), NEXT, 601],
      ),
    );
  });

  it('in a commitment that they had revoked, and in what they took out of it', () => {
    const closed = closedBy('revoked', format);
    const { commitment } = closed;
    const theirDelay = CLOSED_AT + 100;
    const untaken: readonly Row[] = [
      ['toRemote', commitment.toOtherIndex, NEXT, undefined],
      ['revokedToLocal', commitment.toOwnerIndex, NEXT, theirDelay],
      ['revokedHtlc', outputOf(closed, 1), NEXT, theirDelay],
      ['revokedHtlc', outputOf(closed, 2), NEXT, theirDelay],
    ];
    expect(rows(closed.monitor)).toEqual(sorted(...untaken, ['revokedHtlc', outputOf(closed, 3), NEXT, theirDelay]));
    const toLocal = commitment.tx.outputs[commitment.toOwnerIndex ?? 0]?.script ?? new Uint8Array(0);
    const taken = {
      ...spending(commitment.tx, [outputOf(closed, 3) ?? 0]),
      outputs: [{ amountSat: 29_000n, script: toLocal }],
    };
    expect(rows(withSpends(closed, [taken, 404]))).toEqual(sorted(['revokedToLocal', 0, 405, 504], ...untaken));
  });

  it('is not what is spent', () => {
    const closed = closedBy('counterparty', format);
    const spent = spending(closed.commitment.tx, [closed.commitment.toOtherIndex ?? 0, outputOf(closed, 1) ?? 0]);
    expect(rows(withSpends(closed, [spent, 404]))).toEqual([['counterpartyHtlc', outputOf(closed, 2), NEXT, 601]]);
  });
});

describe('nothing is ours', () => {
  it('before a close, and nothing that was not told in one by both', () => {
    expect(claimsOf(KEYS, openMonitor())).toEqual([]);
    const { monitor } = closedBy('counterparty');
    const { confirmedSpend } = monitor;
    if (confirmedSpend === undefined) throw new Error('the close is confirmed');
    const spend = { kind: 'cooperative' } as const;
    expect(claimsOf(KEYS, { ...monitor, confirmedSpend: { ...confirmedSpend, spend } })).toEqual([]);
  });

  it('but our balance in a commitment of theirs that we know nothing of', () => {
    const { monitor, commitment } = closedBy('counterparty');
    const [version] = monitor.counterpartyCommitments;
    if (version === undefined) throw new Error('there is a commitment');
    const other = { ...monitor, counterpartyCommitments: [{ ...version, number: version.number + 1 }] };
    const unlike = { ...monitor, counterpartyCommitments: [{ ...version, spec: { ...version.spec, htlcs: [] } }] };
    for (const each of [other, unlike])
      expect(rows(each)).toEqual([['toRemote', commitment.toOtherIndex, NEXT, undefined]]);
  });

  it('of the HTLCs of a commitment of ours that we had revoked', () => {
    const { monitor, commitment } = closedBy('holder');
    const { holderCommitment } = monitor;
    const newer = { ...holderCommitment, number: holderCommitment.number + 1 };
    const revoking = { ...monitor, holderCommitment: newer, previousHolderCommitment: holderCommitment };
    expect(claimsOf(KEYS, revoking).map(({ outpoint }) => outpoint.vout)).toEqual([commitment.toOwnerIndex]);
  });

  it('of an HTLC of ours that has no signature of theirs', () => {
    const { monitor } = closedBy('holder');
    const unsigned = { ...monitor, holderCommitment: { ...monitor.holderCommitment, htlcSignatures: [] } };
    expect(claimsOf(KEYS, unsigned).map(({ kind }) => kind)).toEqual(['delayed']);
  });
});
