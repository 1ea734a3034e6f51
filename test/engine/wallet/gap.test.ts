import { beforeEach, describe, expect, it } from 'vitest';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { transactionId, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { BRANCHES, Descriptors, type Branch, type OwnBranch } from '../../../worker/engine/wallet/descriptors.ts';
import { decodeWallet, encodeWallet } from '../../../worker/engine/wallet/wallet-record.ts';
import { GAP_LIMIT } from '../../../worker/engine/wallet/wallet-scripts.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';

const seed = mnemonicSeed('abandon '.repeat(11) + 'about');
const descriptors = new Descriptors(seed, 'regtest');
let wallet: OnchainWallet;
let made = 0;

beforeEach(() => {
  made = 0;
  wallet = new OnchainWallet(secp, descriptors);
});

/** A transaction of somebody else that pays to a script of the wallet. */
function payment(branch: Branch, index: number): Transaction {
  const txid = new Uint8Array(32).fill(0xaa).with(0, ++made);
  return {
    version: 2,
    inputs: [{ txid, vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] }],
    outputs: [{ amountSat: 1_000n, script: descriptors.script({ branch, index }) }],
    locktime: 0,
  };
}

const nextIndex = (branch: OwnBranch = 'receive'): number | undefined =>
  descriptors.originOf(wallet.newScript(branch))?.index;
/** How many scripts of a branch are among some. */
const countOf = (branch: Branch, scripts: readonly Uint8Array[]): number =>
  scripts.filter((script) => descriptors.originOf(script)?.branch === branch).length;

describe('the gap', () => {
  it.each(BRANCHES)('of %s is followed as long as something is found', (branch) => {
    for (const [found, index] of [19, 30, 50].entries()) {
      expect(countOf(branch, wallet.scripts.watched())).toBe([20, 40, 51][found]);
      wallet.transactionConfirmed(payment(branch, index), 100);
    }
    expect(countOf(branch, wallet.scripts.watched())).toBe(71);
  });

  it('is not moved by payments that are in no block, which are looked beyond all the same', () => {
    const handedOut = Array.from({ length: GAP_LIMIT }, () => nextIndex());
    for (const index of handedOut) wallet.transactionSeen(payment('receive', index ?? 0));
    expect(nextIndex()).toBe(GAP_LIMIT - 1);
    expect(countOf('receive', wallet.scripts.watched())).toBe(2 * GAP_LIMIT);
  });

  it('is looked beyond by one more at most, whatever a server that knows the addresses invents', () => {
    for (const index of [19, 39, 59]) wallet.transactionSeen(payment('receive', index));
    expect(countOf('receive', wallet.scripts.watched())).toBe(2 * GAP_LIMIT);
    wallet.transactionConfirmed(payment('receive', 19), 100);
    expect(countOf('receive', wallet.scripts.watched())).toBe(3 * GAP_LIMIT);
  });

  it('moves on with the first of them that is in a block', () => {
    for (let count = 0; count < GAP_LIMIT; count++) wallet.newScript('receive');
    wallet.transactionConfirmed(payment('receive', 4), 100);
    expect([nextIndex(), nextIndex()]).toEqual([20, 21]);
  });

  it('moves back where a payment vanishes, and what was handed out meanwhile stays watched', () => {
    const deep = payment('receive', 9);
    wallet.transactionConfirmed(payment('receive', 2), 100);
    wallet.transactionConfirmed(deep, 101);
    for (let count = 0; count < 40; count++) wallet.newScript('receive');
    wallet.transactionUnconfirmed(transactionId(deep));
    wallet.transactionDropped(transactionId(deep));
    expect(nextIndex()).toBe(2 + GAP_LIMIT);
    expect(countOf('receive', wallet.scripts.watched())).toBe(10 + GAP_LIMIT);
    expect(countOf('receive', wallet.scripts.handedOut())).toBe(10 + GAP_LIMIT);
  });

  it('does not hand out again what something came to that another device has handed out', () => {
    wallet.transactionSeen(payment('receive', 5));
    expect(nextIndex()).toBe(6);
  });

  it('is after a restart where it was, also where its coins are not known any more', () => {
    wallet.transactionConfirmed(payment('receive', 9), 100);
    const { coins, ...state } = decodeWallet(encodeWallet(wallet.state));
    expect(coins).toHaveLength(1);
    wallet = new OnchainWallet(secp, descriptors, { ...state, coins: [] });
    wallet.transactionConfirmed(payment('receive', 3), 101);
    expect(countOf('receive', wallet.scripts.watched())).toBe(10 + GAP_LIMIT);
  });
});

describe('the branches of BIP 44 and BIP 49', () => {
  it('are expected to get coins only where something was found', () => {
    expect(wallet.scripts.expected()).toHaveLength(4 * GAP_LIMIT);
    wallet.transactionConfirmed(payment('nestedChange', 3), 100);
    expect(countOf('nestedChange', wallet.scripts.expected())).toBe(4 + GAP_LIMIT);
    expect(wallet.scripts.expected()).toHaveLength(5 * GAP_LIMIT + 4);
  });
});
