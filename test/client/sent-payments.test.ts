import { beforeEach, describe, expect, it } from 'vitest';
import { SentPayments } from '../../worker/client/sent-payments.ts';
import { encodeSend, type OnchainSend } from '../../worker/client/onchain-send.ts';
import { fromHex, reversed, toHex } from '../../worker/engine/primitives/bytes.ts';
import {
  decodeTransaction,
  encodeTransaction,
  transactionId,
  type Transaction,
} from '../../worker/engine/transactions/transaction.ts';
import { UndoLog } from '../../worker/engine/primitives/undo-log.ts';

const send: OnchainSend = {
  txid: '07'.repeat(32),
  rawTx: Uint8Array.of(1),
  address: 'bcrt1',
  amountSat: 1_000n,
  feeSat: 10n,
  at: 1_700_000_000_000,
  fate: { kind: 'waiting' },
};

let log: string[];
let undo: UndoLog | undefined;

const load = (stored: readonly (readonly [string, Uint8Array])[] = []): SentPayments =>
  new SentPayments(stored, { undo: () => undo, record: () => undefined, log: (line) => void log.push(line) });

beforeEach(() => {
  log = [];
  undo = undefined;
});

const TAKEN_BACK: OnchainSend = { ...send, fate: { kind: 'refused', reason: 'feeTooLow' } };
const DISPLACED: OnchainSend = { ...send, accepted: true, fate: { kind: 'displaced', by: '09'.repeat(32) } };
const REPLACED: OnchainSend = { ...send, fate: { kind: 'replaced', by: '09'.repeat(32) } };
const CONFIRMED: OnchainSend = { ...send, fate: { kind: 'confirmed' } };

describe('payments out of the on-chain wallet', () => {
  it('of a turn that fails are not broadcast again, and what it marked is as before', () => {
    const payments = load([[send.txid, encodeSend(send)]]);
    undo = new UndoLog();
    payments.save({ ...send, txid: '08'.repeat(32) });
    payments.accepted(send.txid);
    expect(payments.list()).toHaveLength(2);
    undo.rollBack();
    expect(payments.list()).toEqual([send]);
  });

  it('have their label still after a restart, where they have one', () => {
    const labelled = { ...send, label: 'für Anna' };
    expect(load([[send.txid, encodeSend(labelled)]]).list()).toEqual([labelled]);
  });

  it('are left out and logged where their record is damaged', () => {
    const payments = load([
      ['08'.repeat(32), encodeSend(send).slice(0, 20)],
      [send.txid, encodeSend(send)],
    ]);
    expect(payments.list()).toEqual([send]);
    expect(log.join()).toContain('08'.repeat(32));
  });

  it.each([send, TAKEN_BACK, DISPLACED, REPLACED, CONFIRMED])('are read as they were written: %o', (payment) => {
    expect(load([[send.txid, encodeSend(payment)]]).list()).toEqual([payment]);
  });

  it('are written as older programs wrote them until one is taken back, which those must not misread', () => {
    expect([send, DISPLACED, TAKEN_BACK].map((payment) => encodeSend(payment)[2])).toEqual([1, 1, 2]);
    const old = fromHex('00010102010104056263727431060800000000000003e80808000000000000000a0a080000018bcfe568000c0100');
    expect(load([[send.txid, old]]).list()).toEqual([send]);
  });

  it('are wanted in a block while nothing says otherwise', () => {
    const payments = load(
      [send, TAKEN_BACK, DISPLACED, REPLACED, CONFIRMED].map((payment, index) => [
        `0${index}`.repeat(32),
        encodeSend(payment),
      ]),
    );
    expect(payments.wanted().map(({ txid }) => txid)).toEqual(['00'.repeat(32)]);
  });

  it('cannot come any more while a block has another that spends a coin of theirs, and can again after it', () => {
    const [first, second] = [spending(1), spending(1)].map((tx, index) => sendOf({ ...tx, locktime: index }));
    if (first === undefined || second === undefined) throw new Error('two payments');
    const payments = load([first, second].map((each) => [each.txid, encodeSend(each)]));
    payments.takeBack(first.txid, 'feeTooLow');
    expect(payments.contested()).toMatchObject([[{ vout: 1 }]]);
    payments.confirmed(decodeTransaction(second.rawTx));
    expect([payments.contested(), payments.wanted()]).toEqual([[], []]);
    expect(payments.list().map(({ fate }) => fate)).toEqual([{ kind: 'displaced', by: second.txid }, CONFIRMED.fate]);
    payments.unconfirmed(transactionId(decodeTransaction(second.rawTx)));
    expect(payments.contested()).toHaveLength(1);
    expect(payments.wanted().map(({ txid }) => txid)).toEqual([second.txid]);
    payments.confirmed(decodeTransaction(first.rawTx));
    expect(payments.list().map(({ fate }) => fate)).toEqual([CONFIRMED.fate, { kind: 'displaced', by: first.txid }]);
  });

  it('that could not come are taken back once they can again: they were told to have failed, and may have been paid again', () => {
    const payment = sendOf(spending(1));
    const other = { ...spending(1), locktime: 9 };
    const payments = load([[payment.txid, encodeSend({ ...payment, accepted: true })]]);
    payments.confirmed(other);
    payments.unconfirmed(transactionId(other));
    expect([payments.wanted(), payments.contested()]).toMatchObject([[], [[{ vout: 1 }]]]);
    payments.returned(payment.txid);
    expect(payments.wanted()).toEqual([{ ...payment, accepted: true }]);
  });

  it('that were replaced hold others up again once what replaced them cannot come, or is taken back', () => {
    const replaced = sendOf(spending(1));
    const other = spending(2);
    const replacement = sendOf({ ...other, inputs: [...spending(1).inputs, ...other.inputs] });
    const payments = load([[replaced.txid, encodeSend({ ...replaced, accepted: true })]]);
    payments.replace(replaced.txid, replacement);
    payments.confirmed(other);
    expect([payments.wanted(), payments.unsettled(() => false)]).toMatchObject([[], [[{ vout: 1 }]]]);
    payments.unconfirmed(transactionId(other));
    expect(payments.unsettled(() => false)).toMatchObject([[{ vout: 1 }], [{ vout: 1 }, { vout: 2 }]]);
    payments.returned(replaced.txid);
    expect(payments.wanted()).toMatchObject([{ txid: replaced.txid }]);
  });

  it('that were replaced cannot come either where their own coins are spent, and can after that', () => {
    const replaced = sendOf(spending(1));
    const cancellation = sendOf({ ...spending(1), locktime: 8 });
    const other = { ...spending(1), locktime: 9 };
    const payments = load([[replaced.txid, encodeSend(replaced)]]);
    payments.replace(replaced.txid, cancellation);
    payments.confirmed(other);
    expect(payments.list().map(({ fate }) => fate.kind)).toEqual(['replaced', 'displaced']);
    payments.unconfirmed(transactionId(other));
    expect(payments.list().map(({ fate }) => fate.kind)).toEqual(['refused', 'refused']);
  });

  it('of change go with the payment that made it, and one spent coin of that settles all', () => {
    const parent = sendOf(spending(1));
    const child = sendOf(spending(0, transactionId(decodeTransaction(parent.rawTx))));
    const payments = load([parent, child].map((each) => [each.txid, encodeSend(each)]));
    expect(payments.takeBack(parent.txid, 'conflict').map(({ txid }) => txid)).toEqual([parent.txid, child.txid]);
    expect(payments.contested().map((coins) => coins.map(({ vout }) => vout))).toEqual([[1], [0, 1]]);
    payments.confirmed({ ...spending(1), locktime: 9 });
    expect(payments.contested()).toEqual([]);
  });

  it('are looked out for while what was to take their place is in no block', () => {
    const [first, second] = [spending(1), spending(1)].map((tx, index) => sendOf({ ...tx, locktime: index }));
    if (first === undefined || second === undefined) throw new Error('two payments');
    const payments = load([[first.txid, encodeSend(first)]]);
    payments.replace(first.txid, second);
    expect([payments.contested(), payments.unsettled(() => false)]).toMatchObject([[[{ vout: 1 }]], []]);
    payments.confirmed(decodeTransaction(second.rawTx));
    expect(payments.contested()).toEqual([]);
  });

  it('hold up no other where they pay nobody but this wallet', () => {
    const { txid, ...payment } = sendOf(spending(1));
    const payments = load([[txid, encodeSend({ ...payment, txid, fate: TAKEN_BACK.fate })]]);
    expect([payments.unsettled(() => true), payments.contested()]).toMatchObject([[], [[{ vout: 1 }]]]);
    expect(payments.unsettled(() => false)).toEqual(payments.contested());
  });

  it.each([
    ['one that a server has taken', { accepted: true }, 'feeTooLow'],
    ['one that is in a block', CONFIRMED, 'feeTooLow'],
    ['what may be taken later', {}, 'tooManyUnconfirmed'],
    ['what is too early', {}, 'notFinal'],
  ] as const)('are not taken back: %s', (_, changed, reason) => {
    const payments = load([[send.txid, encodeSend({ ...send, ...changed })]]);
    expect(payments.mayTakeBack(send.txid, reason)).toBe(false);
    expect(load([[send.txid, encodeSend(send)]]).mayTakeBack(send.txid, 'feeTooLow')).toBe(true);
  });
});

const OTHERS = new Uint8Array(32).fill(3);

const spending = (vout: number, txid: Uint8Array = OTHERS): Transaction => ({
  version: 2,
  inputs: [{ txid, vout, sequence: 0, scriptSig: new Uint8Array(0), witness: [] }],
  outputs: [{ amountSat: 1_000n, script: new Uint8Array(22) }],
  locktime: 0,
});

const sendOf = (tx: Transaction): OnchainSend => ({
  ...send,
  rawTx: encodeTransaction(tx),
  txid: toHex(reversed(transactionId(tx))),
});
