import { beforeEach, describe, expect, it } from 'vitest';
import { ReceivedPayments } from '../../worker/client/received-payments.ts';
import { decodeReceived, encodeReceived, receivedKey } from '../../worker/client/wallet-records.ts';
import { mnemonicSeed } from '../../worker/engine/keys/mnemonic.ts';
import { reversed, toHex } from '../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { recordsBelow } from '../../worker/engine/primitives/store.ts';
import { UndoLog } from '../../worker/engine/primitives/undo-log.ts';
import { transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import { decodeWallet, encodeWallet } from '../../worker/engine/wallet/wallet-record.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

const SEEN = 1_700_000_000_000;
const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const terms = { feeratePerKw: 1_000, reserveSat: 0n };
const seed = mnemonicSeed('abandon '.repeat(11) + 'about');

let wallet: OnchainWallet;
let records: Map<string, Uint8Array>;
let writes: number;
let received: ReceivedPayments;
let made: number;
let undo: UndoLog | undefined;
let log: string[];

/** As after a start: what was recorded is all that is known. */
function restart(): void {
  const stored = decodeWallet(encodeWallet(wallet.state));
  wallet = new OnchainWallet(secp, new Descriptors(seed, 'regtest'), stored);
  received = load();
}

/** As in a wallet of which only the coins that are left are known. */
function forgetSpent(): void {
  const { state } = wallet;
  const left = { ...state, coins: state.coins.filter(({ spentBy }) => spentBy === undefined) };
  wallet = new OnchainWallet(secp, new Descriptors(seed, 'regtest'), left);
}

function load(): ReceivedPayments {
  return new ReceivedPayments(recordsBelow(records, receivedKey('')), {
    undo: () => undo,
    record: (key, value) => {
      writes++;
      if (value === undefined) records.delete(key);
      else records.set(key, value);
    },
    log: (line) => void log.push(line),
  });
}

beforeEach(() => {
  wallet = new OnchainWallet(secp, new Descriptors(seed, 'regtest'));
  records = new Map();
  writes = 0;
  made = 0;
  undo = undefined;
  log = [];
  received = load();
});

describe('records of payments', () => {
  it('are left out and logged where they are damaged', () => {
    records.set(receivedKey('08'.repeat(32)), Uint8Array.of(2, 8, 1));
    received = load();
    expect(received.list()).toEqual([]);
    expect(log.join()).toContain('08'.repeat(32));
  });

  it('are in memory as before when the turn that changed them fails', () => {
    undo = new UndoLog();
    look({ confirmed: [[1, payment(1_000n)]] });
    expect(received.list()).toHaveLength(1);
    undo.rollBack();
    expect(received.list()).toEqual([]);
  });
});

const header = { raw: new Uint8Array(80), hash: '', previousHash: '', merkleRoot: '', bits: 0 };
/** When the block at a height was made. */
const timeAt = (height: number): number => SEEN - 7_200_000 + height * 600_000;

/** A transaction of somebody else with outputs for us. */
function payment(...amounts: readonly bigint[]): Transaction {
  const outputs = amounts.map((amountSat) => ({ amountSat, script: wallet.newScript('receive') }));
  const input = { txid: new Uint8Array(32).fill(++made), vout: 0, sequence: 0, witness: [] };
  return { version: 2, inputs: [{ ...input, scriptSig: new Uint8Array(0) }], outputs, locktime: 0 };
}

/** One look at the chain, in the order in which a node takes it. */
interface Look {
  readonly disconnectedTo?: number;
  readonly unconfirmed?: readonly Transaction[];
  readonly confirmed?: readonly (readonly [height: number, tx: Transaction])[];
  readonly mempool?: readonly Transaction[];
  readonly dropped?: readonly Transaction[];
  readonly best?: number;
}

function look({ disconnectedTo, unconfirmed, confirmed = [], mempool, dropped, best }: Look, now = SEEN): void {
  for (const tx of unconfirmed ?? []) wallet.transactionUnconfirmed(transactionId(tx));
  for (const [height, tx] of confirmed) wallet.transactionConfirmed(tx, height);
  for (const tx of dropped ?? []) wallet.transactionDropped(transactionId(tx));
  for (const tx of mempool ?? []) wallet.transactionSeen(tx);
  const blocks = confirmed.map(([height]) => ({
    height,
    header: { ...header, time: timeAt(height) / 1_000 },
    txs: [],
  }));
  const news = { confirmed: blocks, ...(disconnectedTo === undefined ? {} : { disconnectedTo }) };
  received.update(wallet.state.coins, news, now);
  if (best !== undefined) wallet.bestBlockUpdated(best);
}

const displayed = (tx: Transaction): string => toHex(reversed(transactionId(tx)));
const pending = (tx: Transaction, amountSat: bigint): object => ({ txid: displayed(tx), amountSat, seenAt: SEEN });
const confirmed = (tx: Transaction, amountSat: bigint, height: number): object => ({
  ...pending(tx, amountSat),
  block: { height, at: timeAt(height) },
});

describe('a received payment', () => {
  it('is there when it is first seen, then in a block, and the same after a start', () => {
    const tx = payment(5_000n);
    look({ mempool: [tx] });
    look({}, SEEN + 1);
    expect(received.list()).toEqual([pending(tx, 5_000n)]);
    restart();
    expect(received.list()).toEqual([pending(tx, 5_000n)]);
    look({ confirmed: [[9, tx]] }, SEEN + 2);
    expect(received.list()).toEqual([confirmed(tx, 5_000n, 9)]);
    restart();
    expect(received.list()).toEqual([confirmed(tx, 5_000n, 9)]);
  });

  it('is one with all that its transaction brought, and is written once', () => {
    const tx = payment(5_000n, 3_000n);
    for (let round = 0; round < 3; round++) look({ confirmed: [[9, tx]] }, SEEN + round);
    expect([received.list(), writes]).toEqual([[confirmed(tx, 8_000n, 9)], 1]);
  });

  it('goes away when it is dropped or replaced', () => {
    const [tx, replacement] = [payment(5_000n), payment(4_000n)];
    look({ mempool: [tx] });
    look({ mempool: [replacement], dropped: [tx] });
    expect(received.list()).toEqual([pending(replacement, 4_000n)]);
    look({ dropped: [replacement] });
    expect([received.list(), records.size]).toEqual([[], 0]);
  });
});

describe('a received payment that was spent', () => {
  it('stays when its coin is not known, and when the chain tells of it again after that', () => {
    const tx = payment(50_000n);
    look({ confirmed: [[9, tx]], best: 9 });
    const { tx: spending } = paidFrom(wallet, ELSEWHERE, 'all', terms);
    look({ confirmed: [[10, spending]], best: 110 });
    forgetSpent();
    look({ best: 111 });
    expect(received.list()).toEqual([confirmed(tx, 50_000n, 9)]);
    restart();
    const before = writes;
    look(
      {
        confirmed: [
          [9, tx],
          [10, spending],
        ],
        best: 112,
      },
      SEEN + 1,
    );
    look({}, SEEN + 1);
    expect([received.list(), writes]).toEqual([[confirmed(tx, 50_000n, 9)], before]);
  });

  it('keeps its amount when only one of its coins is known', () => {
    const tx = payment(50_000n, 30_000n);
    look({ confirmed: [[9, tx]], best: 9 });
    const { tx: spending } = paidFrom(wallet, ELSEWHERE, 20_000n, terms);
    look({ confirmed: [[10, spending]], best: 110 });
    forgetSpent();
    look({ best: 111 });
    expect(wallet.state.coins.filter(({ own }) => !own)).toHaveLength(1);
    expect(received.list()).toEqual([confirmed(tx, 80_000n, 9)]);
  });

  it('leaves no line for its change, not even when the chain tells of that again', () => {
    const tx = payment(50_000n);
    look({ confirmed: [[9, tx]], best: 9 });
    const { tx: spending } = paidFrom(wallet, ELSEWHERE, 20_000n, terms);
    look({ confirmed: [[10, spending]], best: 110 });
    restart();
    look({ confirmed: [[10, spending]], best: 111 });
    expect(received.list()).toEqual([confirmed(tx, 50_000n, 9)]);
  });

  it('leaves none for the change of an anchor’s child', () => {
    const tx = payment(50_000n);
    look({ confirmed: [[9, tx]], best: 9 });
    const anchor = { ...payment(), outputs: [] };
    const prevouts = [{ amountSat: 330n, script: new Uint8Array(34) }];
    const child = wallet.bump({ tx: anchor, prevouts, witnessWeight: 115, feeratePerKw: 1_000, mostSat: 10_000n });
    wallet.transactionSeen(child.tx);
    look({});
    look({ confirmed: [[10, child.tx]], best: 110 });
    restart();
    look({ confirmed: [[10, child.tx]], best: 111 });
    expect([wallet.state.coins.length, received.list()]).toEqual([2, [confirmed(tx, 50_000n, 9)]]);
  });
});

describe('with a reorganisation, a received payment', () => {
  let tx: Transaction;
  beforeEach(() => {
    tx = payment(5_000n);
    look({ mempool: [tx] });
    look({ confirmed: [[9, tx]], best: 10 });
  });

  it('is unconfirmed again, and then in the next block', () => {
    look({ disconnectedTo: 8, unconfirmed: [tx], mempool: [tx], best: 11 }, SEEN + 1);
    expect(received.list()).toEqual([pending(tx, 5_000n)]);
    look({ confirmed: [[12, tx]], best: 12 }, SEEN + 2);
    expect(received.list()).toEqual([confirmed(tx, 5_000n, 12)]);
  });

  it('goes away when it is dropped, at once or later', () => {
    look({ disconnectedTo: 8, unconfirmed: [tx], dropped: [tx] });
    expect(received.list()).toEqual([]);
    look({ confirmed: [[9, tx]], best: 11 });
    look({ disconnectedTo: 8, unconfirmed: [tx] });
    look({ dropped: [tx] });
    expect([received.list(), records.size]).toEqual([[], 0]);
  });

  it('stays where it is when its block stays', () => {
    look({ disconnectedTo: 9, best: 11 });
    expect(received.list()).toEqual([confirmed(tx, 5_000n, 9)]);
  });
});

it('change that was found before the coin it came from is no payment any more', () => {
  const from = payment(50_000n);
  const input = { txid: transactionId(from), vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] };
  const outputs = [{ amountSat: 40_000n, script: wallet.newScript('change') }];
  const spending = { version: 2, inputs: [input], outputs, locktime: 0 };
  look({ confirmed: [[10, spending]], best: 10 });
  expect(received.list()).toEqual([confirmed(spending, 40_000n, 10)]);
  look({
    confirmed: [
      [9, from],
      [10, spending],
    ],
  });
  expect(received.list()).toEqual([confirmed(from, 50_000n, 9)]);
});

it.each([
  ['pending', { txid: 'aa', amountSat: 5_000n, seenAt: SEEN }],
  ['confirmed', { txid: 'aa', amountSat: 5_000n, seenAt: SEEN, block: { height: 9, at: timeAt(9) } }],
])('a %s payment is read back from its record', (_name, row) => {
  expect(decodeReceived('aa', encodeReceived(row))).toEqual(row);
});
