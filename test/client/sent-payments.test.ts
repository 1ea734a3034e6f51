import { beforeEach, describe, expect, it } from 'vitest';
import { SentPayments } from '../../worker/client/sent-payments.ts';
import { encodeSend, type OnchainSend } from '../../worker/client/wallet-records.ts';
import { UndoLog } from '../../worker/engine/primitives/undo-log.ts';

const TXID = new Uint8Array(32).fill(7);
const send: OnchainSend = {
  txid: '07'.repeat(32),
  rawTx: Uint8Array.of(1),
  address: 'bcrt1',
  amountSat: 1_000n,
  feeSat: 10n,
  at: 1_700_000_000_000,
  confirmed: false,
};

let log: string[];
let undo: UndoLog | undefined;

const load = (stored: readonly (readonly [string, Uint8Array])[] = []): SentPayments =>
  new SentPayments(stored, { undo: () => undo, record: () => undefined, log: (line) => void log.push(line) });

beforeEach(() => {
  log = [];
  undo = undefined;
});

describe('payments out of the on-chain wallet', () => {
  it('of a turn that fails are not broadcast again, and what it marked is as before', () => {
    const payments = load([[send.txid, encodeSend(send)]]);
    undo = new UndoLog();
    payments.save({ ...send, txid: '08'.repeat(32) });
    payments.mark(TXID, true);
    expect(payments.list()).toHaveLength(2);
    undo.rollBack();
    expect(payments.list()).toEqual([send]);
  });

  it('are left out and logged where their record is damaged', () => {
    const payments = load([
      ['08'.repeat(32), encodeSend(send).slice(0, 20)],
      [send.txid, encodeSend(send)],
    ]);
    expect(payments.list()).toEqual([send]);
    expect(log.join()).toContain('08'.repeat(32));
  });
});
