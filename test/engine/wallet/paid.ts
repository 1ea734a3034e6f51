import { assert } from '../../../worker/engine/primitives/errors.ts';
import { scriptOfAddress } from '../../../worker/engine/wallet/address.ts';
import type { PaymentTerms, WalletTransaction } from '../../../worker/engine/wallet/wallet-transaction.ts';
import type { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';

/** What of the terms of a payment a test is about. */
export type SomeTerms = Pick<PaymentTerms, 'feeratePerKw'> & Partial<PaymentTerms>;

/** Where nothing else is said, nothing is kept, and no earlier payment is under way. */
export const paymentTerms = (terms: SomeTerms): PaymentTerms => ({
  reserveSat: 0n,
  reservePerKw: terms.feeratePerKw,
  reserveCoinSat: 0n,
  against: [],
  ...terms,
});

/** A signed payment to an address of regtest, or with `all` of everything but the reserve; its coins count as spent from now on. */
export function paidFrom(
  wallet: OnchainWallet,
  address: string,
  amountSat: bigint | 'all',
  terms: SomeTerms,
): WalletTransaction {
  const script = scriptOfAddress(address, 'regtest');
  const target = amountSat === 'all' ? { everythingTo: script } : [{ amountSat, script }];
  const [unsigned, ...others] = wallet.payments.prepare(target, paymentTerms(terms));
  assert(unsigned !== undefined && others.length === 0, 'one transaction is enough');
  const signed = wallet.payments.sign(unsigned);
  wallet.transactionMade(signed.tx);
  return signed;
}

/** What takes the largest of what was found on BIP 44 and 49 addresses, and some more, to the wallet; it counts as spent from now on. */
export function sweptFrom(wallet: OnchainWallet, feeratePerKw: number): WalletTransaction | undefined {
  const [next] = wallet.foundSweeps(feeratePerKw);
  if (next === undefined) return undefined;
  const script = wallet.newScript('receive');
  const signed = wallet.payments.sign(wallet.payments.prepareSweep(next, script, paymentTerms({ feeratePerKw })));
  wallet.transactionMade(signed.tx);
  return signed;
}
