import { describe, expect, it } from 'vitest';
import { feeratePerKw } from '../../../worker/engine/primitives/units.ts';
import { isNegotiable, proposeClosing } from '../../../worker/engine/channel/channel-closing.ts';
import { proposeFee } from '../../../worker/engine/channel/channel-operation.ts';
import { requestShutdown } from '../../../worker/engine/channel/channel-shutdown.ts';
import { decodeTransaction } from '../../../worker/engine/transactions/transaction.ts';
import { closed, closingPair, hear, OURS, propose, receive, signedBy, THEIRS } from './closing-pair.ts';
import { exchange, openPair, passed, refused } from './party.ts';

const paidBy = (transaction: Uint8Array): readonly bigint[] =>
  decodeTransaction(transaction)
    .outputs.map(({ amountSat }) => amountSat)
    .toSorted((a, b) => Number(a - b));

describe('closing_signed', () => {
  it('is neither proposed nor taken while an HTLC is left', () => {
    const { opener, fundee } = openPair();
    opener.offer(1_000_000n);
    exchange(opener, fundee);
    opener.apply(requestShutdown(opener.state, OURS));
    opener.apply(passed(hear(opener, THEIRS)));
    expect(isNegotiable(opener.state)).toBe(false);
    expect(passed(proposeClosing(opener.env, opener.state)).messages).toEqual([]);
    const early = signedBy(closingPair().fundee, { feeSat: 700n });
    expect(receive(opener, early)).toMatchObject({ kind: 'violation', severity: 'warn' });
  });

  it('is refused before both have said shutdown', () => {
    const { opener } = openPair();
    const { fundee } = closingPair();
    expect(refused(receive(opener, signedBy(fundee, { feeSat: 700n })))).toMatchObject({
      severity: 'warn',
      reason: expect.stringMatching(/quiet/) as string,
    });
  });

  it('ends with the fee of the opener: one offer, one answer, one transaction', () => {
    const { opener, fundee } = closingPair();
    const first = propose(opener);
    const theirs = closed(receive(fundee, first));
    if (theirs.answer === undefined) throw new Error('no answer');
    const ours = closed(receive(opener, theirs.answer));
    expect(ours.answer).toBeUndefined();
    expect(ours.transaction).toEqual(theirs.transaction);
    expect(paidBy(ours.transaction)).toEqual([400_000n, 600_000n - first.feeSatoshis]);
  });

  it('is proposed once a connection', () => {
    const { opener } = closingPair();
    propose(opener);
    expect(passed(proposeClosing(opener.env, opener.state)).messages).toEqual([]);
  });

  it('is taken while only an update_fee is under way: the two sides have the same in each commitment', () => {
    const { opener, fundee } = openPair();
    fundee.apply(requestShutdown(fundee.state, THEIRS));
    opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(1500)));
    opener.sign();
    passed(fundee.receive(opener.take('update_fee')));
    passed(fundee.receive(opener.take('commitment_signed')));
    passed(opener.receive(fundee.take('revoke_and_ack')));
    fundee.sign();
    opener.apply(passed(hear(opener, THEIRS)));
    fundee.apply(passed(hear(fundee, OURS, THEIRS)));
    expect(fundee.state.commitments.counterpartyNext.kind).toBe('awaitingRevocation');
    const { fundee: theirs, opener: quiet } = closingPair();
    expect(theirs.state.params.channelId).toEqual(fundee.state.params.channelId);
    const ours = closed(receive(fundee, propose(quiet)));
    expect(paidBy(ours.transaction)).toEqual([400_000n, 600_000n - (ours.answer?.feeSatoshis ?? 0n)]);
  });
});

describe('whose outputs a closing transaction has', () => {
  /** The fundee has `fundeeSat`, and the two dust limits differ. */
  const dusty = (fundeeSat: bigint, theirScript?: Uint8Array) =>
    closingPair({
      pushMsat: fundeeSat * 1000n,
      opener: { dustLimitSat: 354n as never },
      fundee: { dustLimitSat: 546n as never },
      ...(theirScript === undefined ? {} : { theirScript }),
    });
  const P2PKH = Uint8Array.of(0x76, 0xa9, 20, ...new Uint8Array(20).fill(3), 0x88, 0xac);

  it('a side may leave out its own, which is dust to it and not to us', () => {
    const { opener, fundee } = dusty(450n);
    const { feeSatoshis } = propose(opener);
    const { transaction } = closed(receive(opener, signedBy(fundee, { feeSat: feeSatoshis, outputs: 'counterparty' })));
    expect(paidBy(transaction)).toEqual([1_000_000n - 450n - feeSatoshis]);
  });

  it('a side may have its own, which is dust to us and not to it', () => {
    const { opener, fundee } = dusty(450n);
    const { answer, transaction } = closed(receive(fundee, propose(opener)));
    expect(paidBy(transaction)[0]).toBe(450n);
    expect(answer).toBeDefined();
  });

  it('a side may leave out ours below its dust limit', () => {
    const { fundee, opener } = dusty(300n);
    const message = propose(opener);
    const { transaction } = closed(receive(fundee, message));
    expect(paidBy(transaction)).toEqual([999_700n - message.feeSatoshis]);
  });

  it('a side may not leave out ours above it', () => {
    const { opener, fundee } = closingPair();
    const message = signedBy(opener, { feeSat: 700n, outputs: 'holder' });
    expect(passed(receive(fundee, message)).facts).toEqual([
      { kind: 'closingRefused', reason: 'the signature of the closing transaction is not valid' },
    ]);
  });

  it('one that nobody relays closes the channel by force, whoever would sign it first', () => {
    const { opener, fundee } = dusty(450n, P2PKH);
    expect(refused(proposeClosing(opener.env, opener.state))).toMatchObject({ severity: 'fail' });
    expect(refused(receive(opener, signedBy(fundee, { feeSat: 700n })))).toMatchObject({
      severity: 'fail',
      reason: expect.stringMatching(/too small to be relayed/) as string,
    });
  });
});
