import { beforeEach, describe, expect, it } from 'vitest';
import { payOnchain, quoteOnchain, type OnchainPayer } from '../../worker/client/onchain-payment.ts';
import type { OnchainSend } from '../../worker/client/wallet-records.ts';
import { mnemonicSeed } from '../../worker/engine/keys/mnemonic.ts';
import { equalBytes, fromHex, reversed, toHex } from '../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { decodeTransaction, transactionId, transactionWeight } from '../../worker/engine/transactions/transaction.ts';
import { scriptOfAddress } from '../../worker/engine/wallet/address.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import { encodeWallet } from '../../worker/engine/wallet/wallet-record.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';

const AT = 1_700_000_000_000;
const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const MAINNET = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4';
const descriptors = new Descriptors(mnemonicSeed('abandon '.repeat(11) + 'about'), 'regtest');

/** A wallet with coins, whose payments are collected instead of broadcast. */
class Payer implements OnchainPayer {
  readonly network = 'regtest';
  readonly wallet: OnchainWallet = new OnchainWallet(secp, descriptors);
  readonly sends: OnchainSend[] = [];
  feeratePerKw = 1_000;
  reserveSat = 0n;
  #coins = 0;

  constructor(...amounts: readonly bigint[]) {
    this.wallet.bestBlockUpdated(1_000);
    for (const amountSat of amounts) this.receive(amountSat);
  }

  receive(amountSat: bigint): void {
    const script = this.wallet.newScript('receive');
    const input = { txid: new Uint8Array(32).fill(++this.#coins), vout: 0, sequence: 0, witness: [] };
    const inputs = [{ ...input, scriptSig: new Uint8Array(0) }];
    this.wallet.transactionConfirmed({ version: 2, inputs, outputs: [{ amountSat, script }], locktime: 0 }, 990);
  }

  draftWallet(): OnchainWallet {
    return new OnchainWallet(secp, descriptors, this.wallet.state);
  }

  onchainTerms(): { readonly feeratePerKw: number; readonly reserveSat: bigint } {
    return { feeratePerKw: this.feeratePerKw, reserveSat: this.reserveSat };
  }

  sendOnchain(send: OnchainSend): void {
    this.sends.push(send);
  }
}

let payer: Payer;
beforeEach(() => {
  payer = new Payer(100_000n, 60_000n, 5_000n);
});

/** What the address gets in a transaction. */
function arriving(send: OnchainSend | undefined): bigint {
  const script = scriptOfAddress(ELSEWHERE, 'regtest');
  const outputs = decodeTransaction(send?.rawTx ?? new Uint8Array(0)).outputs;
  return outputs.filter((output) => equalBytes(output.script, script)).reduce((sum, each) => sum + each.amountSat, 0n);
}

describe('a quote of an on-chain payment', () => {
  it.each([10_000n, 100_000n, 'all'] as const)('of %s is what is then paid', (amountSat) => {
    const quote = quoteOnchain(payer, { address: ELSEWHERE, amountSat });
    const sent = payOnchain(payer, { address: ELSEWHERE, amountSat, maxFeeSat: quote.feeSat }, AT);
    const [send] = payer.sends;
    expect(sent).toEqual({ txid: send?.txid, feeSat: quote.feeSat });
    expect(send).toMatchObject({ address: ELSEWHERE, amountSat: quote.amountSat, feeSat: quote.feeSat, at: AT });
    expect(arriving(send)).toBe(quote.amountSat);
    const tx = decodeTransaction(send?.rawTx ?? new Uint8Array(0));
    expect(toHex(reversed(transactionId(tx)))).toBe(sent.txid);
    expect(Number(quote.feeSat) / (transactionWeight(tx) / 4)).toBeCloseTo(quote.feeratePerVbyte, 0);
  });

  it('says how many sat a vbyte costs', () => {
    expect(quoteOnchain(payer, { address: ELSEWHERE, amountSat: 10_000n }).feeratePerVbyte).toBe(4);
    payer.feeratePerKw = 2_625;
    expect(quoteOnchain(payer, { address: ELSEWHERE, amountSat: 10_000n }).feeratePerVbyte).toBe(10.5);
  });

  it('changes nothing, however often it is asked for', () => {
    const before = { state: payer.wallet.state, stored: toHex(encodeWallet(payer.wallet.state)) };
    const quotes = Array.from({ length: 30 }, () => quoteOnchain(payer, { address: ELSEWHERE, amountSat: 10_000n }));
    expect(new Set(quotes.map(({ feeSat }) => feeSat)).size).toBe(1);
    expect(payer.wallet.state).toBe(before.state);
    expect(toHex(encodeWallet(payer.wallet.state))).toBe(before.stored);
    expect(payer.sends).toEqual([]);
  });

  it('of everything leaves the reserve, which is not part of the amount', () => {
    payer.reserveSat = 20_000n;
    const quote = quoteOnchain(payer, { address: ` ${ELSEWHERE}\n`, amountSat: 'all' });
    expect(quote.amountSat).toBe(165_000n - 20_000n - quote.feeSat);
    payOnchain(payer, { address: ELSEWHERE, amountSat: 'all' }, AT);
    expect(payer.sends[0]?.amountSat).toBe(quote.amountSat);
    expect(payer.wallet.balance(0n).spendableSat).toBe(20_000n);
  });

  it.each([
    ['no address', { address: 'nonsense', amountSat: 10_000n }, 'AddressInvalid'],
    ['an address of another network', { address: MAINNET, amountSat: 10_000n }, 'AddressWrongNetwork'],
    ['dust', { address: ELSEWHERE, amountSat: 293n }, 'AmountBelowDust'],
    ['more than there is', { address: ELSEWHERE, amountSat: 165_000n }, 'InsufficientFunds'],
    ['what would touch the reserve', { address: ELSEWHERE, amountSat: 150_000n }, 'InsufficientFunds'],
  ] as const)('is refused for %s, as the payment is', (_name, request, code) => {
    payer.reserveSat = 20_000n;
    const before = payer.wallet.state;
    expect(() => quoteOnchain(payer, request)).toThrow(expect.objectContaining({ code }) as Error);
    expect(() => payOnchain(payer, request, AT)).toThrow(expect.objectContaining({ code }) as Error);
    expect([payer.wallet.state, payer.sends]).toEqual([before, []]);
  });
});

describe('an on-chain payment', () => {
  it('is refused when the fee has risen above what was agreed to, and leaves the wallet as it is', () => {
    const request = { address: ELSEWHERE, amountSat: 10_000n } as const;
    const { feeSat } = quoteOnchain(payer, request);
    payer.feeratePerKw += 8;
    const before = payer.wallet.state;
    const pay = (): unknown => payOnchain(payer, { ...request, maxFeeSat: feeSat }, AT);
    const details = { feeSat: quoteOnchain(payer, request).feeSat, maxFeeSat: feeSat };
    expect(pay).toThrow(expect.objectContaining({ code: 'FeeTooHigh', details }) as Error);
    expect(payer.wallet.state).toBe(before);
    expect(payer.sends).toEqual([]);
  });

  it('goes out at a fee that has fallen, and without a limit at any', () => {
    const request = { address: ELSEWHERE, amountSat: 10_000n } as const;
    const { feeSat } = quoteOnchain(payer, request);
    payer.feeratePerKw = 500;
    expect(payOnchain(payer, { ...request, maxFeeSat: feeSat }, AT).feeSat).toBeLessThan(feeSat);
    payer.feeratePerKw = 4_000;
    expect(payOnchain(payer, request, AT).feeSat).toBeGreaterThan(feeSat);
  });

  it('spends its coins: the next one is quoted without them', () => {
    payOnchain(payer, { address: ELSEWHERE, amountSat: 'all' }, AT);
    const again = (): unknown => quoteOnchain(payer, { address: ELSEWHERE, amountSat: 1_000n });
    expect(again).toThrow(expect.objectContaining({ code: 'InsufficientFunds' }) as Error);
    expect(fromHex(payer.sends[0]?.txid ?? '').length).toBe(32);
  });
});
