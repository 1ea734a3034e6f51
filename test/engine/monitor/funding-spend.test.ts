import { describe, expect, it } from 'vitest';
import { confirmedSpendOf, spendsFunding } from '../../../worker/engine/monitor/funding-spend.ts';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import { obscureCommitmentNumber, obscuringFactor } from '../../../worker/engine/transactions/commitment-number.ts';
import { transactionId, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { closedBy, openMonitor } from './claims/closed.ts';

const FINAL = 0xffff_ffff;
const monitor = openMonitor();
const { params } = monitor;

/** A spend of the funding that bears a commitment's number; the opener's basepoint comes first (BOLT 3). */
function numbered(number: number, own: ChannelMonitor = monitor): Transaction {
  const { holder, counterparty, isOpener } = own.params;
  const [opener, accepter] = isOpener ? [holder, counterparty] : [counterparty, holder];
  const factor = obscuringFactor(opener.paymentBasepoint, accepter.paymentBasepoint);
  const { locktime, sequence } = obscureCommitmentNumber(number, factor);
  return spend({ locktime, sequence });
}

const spend = ({ locktime, sequence }: { readonly locktime: number; readonly sequence: number }): Transaction => ({
  version: 2,
  inputs: [
    {
      txid: params.fundingTxid,
      vout: params.fundingOutputIndex,
      sequence,
      scriptSig: new Uint8Array(0),
      witness: [],
    },
  ],
  outputs: [],
  locktime,
});

const kindOf = (tx: Transaction, own: ChannelMonitor = monitor): string =>
  confirmedSpendOf(own, tx, 400, []).spend.kind;

describe('a spend of the funding', () => {
  it('is one of its output', () => {
    const [input] = numbered(1).inputs;
    const other = (over: Partial<NonNullable<typeof input>>): boolean =>
      input !== undefined && spendsFunding(monitor, { ...numbered(1), inputs: [{ ...input, ...over }] });
    expect(other({})).toBe(true);
    expect(other({ vout: params.fundingOutputIndex + 1 })).toBe(false);
    expect(other({ txid: new Uint8Array(32) })).toBe(false);
  });

  it('is ours by its id, whatever its number', () => {
    const { tx } = closedBy('holder').commitment;
    expect(confirmedSpendOf(monitor, tx, 400, [new Uint8Array(32), transactionId(tx)])).toMatchObject({
      spend: { kind: 'holderCommitment' },
      height: 400,
    });
  });

  it.each([true, false])('is theirs, revoked or unknown by its number, isOpener: %s', (isOpener) => {
    const own = { ...monitor, params: { ...params, isOpener } };
    const [version] = monitor.counterpartyCommitments;
    expect(confirmedSpendOf(own, numbered(2, own), 400, []).spend).toEqual({
      kind: 'counterpartyCommitment',
      number: 2,
      perCommitmentPoint: version?.perCommitmentPoint,
    });
    expect(confirmedSpendOf(own, numbered(1, own), 400, []).spend).toEqual({ kind: 'revokedCommitment', number: 1 });
    expect(confirmedSpendOf(own, numbered(3, own), 400, []).spend).toEqual({ kind: 'unknownCommitment', number: 3 });
  });

  it('by agreement has neither a lock time nor a sequence that could bear a number', () => {
    const { locktime, inputs } = numbered(1);
    const sequence = inputs[0]?.sequence ?? 0;
    expect(kindOf(spend({ locktime, sequence }))).toBe('revokedCommitment');
    expect(kindOf(spend({ locktime: 0, sequence }))).toBe('cooperative');
    expect(kindOf(spend({ locktime, sequence: FINAL }))).toBe('cooperative');
    // BOLT 3: the first byte of either is fixed, the others are the number's.
    expect(kindOf(spend({ locktime: locktime + 0x0100_0000, sequence }))).toBe('cooperative');
    expect(kindOf(spend({ locktime, sequence: sequence + 0x0100_0000 }))).toBe('cooperative');
  });
});
