import { expect, it } from 'vitest';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { transactionId, transactionWeight, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { Descriptors } from '../../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';

const descriptors = new Descriptors(mnemonicSeed('abandon '.repeat(11) + 'about'), 'regtest');
const TERMS = { feeratePerKw: 5_000, reserveSat: 0n, reservePerKw: 5_000 };
const PARENT = { weight: 600, feeSat: 150n };

/** A payment from others to a wallet, once for each amount. */
function paying(wallet: OnchainWallet, ...amounts: readonly bigint[]): Transaction {
  const inputs = [
    { txid: new Uint8Array(32).fill(9), vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] },
  ];
  const outputs = amounts.map((amountSat) => ({ amountSat, script: wallet.newScript('receive') }));
  return { version: 2, inputs, outputs, locktime: 0 };
}

it('spends all that a payment has brought, and pays for both', () => {
  const wallet = new OnchainWallet(secp, descriptors);
  const parent = paying(wallet, 20_000n, 30_000n);
  wallet.transactionSeen(parent);
  const { tx, feeSat } = wallet.payments.sign(wallet.payments.prepareChild(transactionId(parent), PARENT, TERMS));
  expect(tx.inputs.map(({ txid, vout }) => [txid, vout])).toEqual(
    expect.arrayContaining([0, 1].map((vout) => [transactionId(parent), vout])),
  );
  expect(tx.outputs.map(({ amountSat }) => amountSat)).toEqual([50_000n - feeSat]);
  const perKw = (Number(feeSat + PARENT.feeSat) * 1_000) / (transactionWeight(tx) + PARENT.weight);
  expect(perKw).toBeGreaterThanOrEqual(5_000);
  expect(perKw).toBeLessThan(5_020);
});

it('is refused of what is in a block, is spent, set aside, or pays as much already, and where it brings too little', () => {
  const wallet = new OnchainWallet(secp, descriptors);
  const parent = paying(wallet, 20_000n);
  const txid = transactionId(parent);
  const refused = (code: string, paid: typeof PARENT = PARENT): void =>
    expect(() => wallet.payments.prepareChild(txid, paid, TERMS)).toThrow(expect.objectContaining({ code }) as Error);
  refused('PaymentUnknown');
  wallet.transactionSeen(parent);
  const before = wallet.state;
  refused('PaymentNotReplaceable', { weight: 600, feeSat: 3_000n });
  refused('InsufficientFunds', { weight: 4_000, feeSat: 0n });
  expect(wallet.state).toBe(before);
  wallet.lock(wallet.state.coins);
  refused('PaymentUnknown');
  wallet.unlock(wallet.state.coins);
  const child = wallet.payments.sign(wallet.payments.prepareChild(txid, PARENT, TERMS));
  wallet.transactionMade(child.tx);
  refused('PaymentUnknown');
  wallet.transactionDropped(child.txid);
  wallet.transactionConfirmed(parent, 100);
  refused('PaymentUnknown');
});

it('is gone with its parent', () => {
  const wallet = new OnchainWallet(secp, descriptors);
  const parent = paying(wallet, 20_000n);
  wallet.transactionSeen(parent);
  wallet.transactionMade(wallet.payments.sign(wallet.payments.prepareChild(transactionId(parent), PARENT, TERMS)).tx);
  expect(wallet.balance(0n, 0).spendableSat).toBe(0n);
  wallet.transactionDropped(transactionId(parent));
  expect(wallet.state.coins).toEqual([]);
});
