import { beforeEach, describe, expect, it } from 'vitest';
import { quoteOnchain } from '../../worker/client/onchain-payment.ts';
import type { OnchainSend } from '../../worker/client/onchain-send.ts';
import { equalBytes, fromHex, reversed, toHex } from '../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { decodeTransaction, transactionId, transactionWeight } from '../../worker/engine/transactions/transaction.ts';
import { scriptOfAddress } from '../../worker/engine/wallet/address.ts';
import { decodeWallet, encodeWallet } from '../../worker/engine/wallet/wallet-record.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';
import { AT, descriptors, ELSEWHERE, FakePayer } from './fake-payer.ts';

const MAINNET = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4';

let payer: FakePayer;
beforeEach(() => {
  payer = new FakePayer(100_000n, 60_000n, 5_000n);
});

/** What the address gets in a transaction. */
function arriving(send: OnchainSend | undefined): bigint {
  const script = scriptOfAddress(ELSEWHERE, 'regtest');
  const outputs = decodeTransaction(send?.rawTx ?? new Uint8Array(0)).outputs;
  return outputs.filter((output) => equalBytes(output.script, script)).reduce((sum, each) => sum + each.amountSat, 0n);
}

describe('a quote of an on-chain payment', () => {
  it.each([10_000n, 100_000n, 'all'] as const)('of %s is what is then paid', async (amountSat) => {
    const quote = quoteOnchain(payer, { address: ELSEWHERE, amountSat });
    const sent = await payer.pay({ address: ELSEWHERE, amountSat, maxFeeSat: quote.feeSat });
    const [send] = payer.sends;
    expect(sent).toEqual({ txid: send?.txid, txids: [send?.txid], feeSat: quote.feeSat });
    expect(quote.transactions).toBe(1);
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

  it('of everything leaves the reserve, which is not part of the amount', async () => {
    payer.reserveSat = 20_000n;
    const quote = quoteOnchain(payer, { address: ` ${ELSEWHERE}\n`, amountSat: 'all' });
    expect(quote.amountSat).toBe(165_000n - 20_000n - quote.feeSat);
    await payer.pay({ address: ELSEWHERE, amountSat: 'all' });
    expect(payer.sends[0]?.amountSat).toBe(quote.amountSat);
    expect(payer.wallet.balance(0n, 0).spendableSat).toBe(20_000n);
  });

  it.each([
    ['no address', { address: 'nonsense', amountSat: 10_000n }, 'AddressInvalid'],
    ['an address of another network', { address: MAINNET, amountSat: 10_000n }, 'AddressWrongNetwork'],
    ['dust', { address: ELSEWHERE, amountSat: 293n }, 'AmountBelowDust'],
    ['more than there is', { address: ELSEWHERE, amountSat: 165_000n }, 'InsufficientFunds'],
    ['what would touch the reserve', { address: ELSEWHERE, amountSat: 150_000n }, 'InsufficientFunds'],
  ] as const)('is refused for %s, as the payment is', async (_name, request, code) => {
    payer.reserveSat = 20_000n;
    const before = payer.wallet.state;
    expect(() => quoteOnchain(payer, request)).toThrow(expect.objectContaining({ code }) as Error);
    await expect(payer.pay(request)).rejects.toMatchObject({ code });
    expect([payer.wallet.state, payer.sends]).toEqual([before, []]);
  });
});

describe('an on-chain payment', () => {
  it('is refused when the fee has risen above what was agreed to, and leaves the wallet as it is', async () => {
    const request = { address: ELSEWHERE, amountSat: 10_000n } as const;
    const { feeSat } = quoteOnchain(payer, request);
    payer.feeratePerKw += 8;
    const before = payer.wallet.state;
    const details = { feeSat: quoteOnchain(payer, request).feeSat, maxFeeSat: feeSat };
    await expect(payer.pay({ ...request, maxFeeSat: feeSat })).rejects.toMatchObject({ code: 'FeeTooHigh', details });
    expect(payer.wallet.state).toBe(before);
    expect(payer.sends).toEqual([]);
  });

  it('goes out at a fee that has fallen, and without a limit at any', async () => {
    const request = { address: ELSEWHERE, amountSat: 10_000n } as const;
    const { feeSat } = quoteOnchain(payer, request);
    payer.feeratePerKw = 500;
    expect((await payer.pay({ ...request, maxFeeSat: feeSat })).feeSat).toBeLessThan(feeSat);
    payer.feeratePerKw = 4_000;
    expect((await payer.pay(request)).feeSat).toBeGreaterThan(feeSat);
  });

  it('spends its coins: the next one is quoted without them', async () => {
    await payer.pay({ address: ELSEWHERE, amountSat: 'all' });
    const again = (): unknown => quoteOnchain(payer, { address: ELSEWHERE, amountSat: 1_000n });
    expect(again).toThrow(expect.objectContaining({ code: 'InsufficientFunds' }) as Error);
    expect(fromHex(payer.sends[0]?.txid ?? '').length).toBe(32);
  });
});

describe('a feerate that its owner has chosen', () => {
  const request = { address: ELSEWHERE, amountSat: 10_000n } as const;

  it('is reached, and not passed', async () => {
    const quote = quoteOnchain(payer, { ...request, feeratePerVbyte: 10.5 });
    expect(quote.feeratePerVbyte).toBe(10.5);
    await payer.pay({ ...request, feeratePerVbyte: 10.5, maxFeeSat: quote.feeSat });
    const weight = transactionWeight(decodeTransaction(payer.sends[0]?.rawTx ?? new Uint8Array(0)));
    expect(Number(quote.feeSat)).toBeGreaterThanOrEqual((weight * 10.5) / 4);
    expect(Number(quote.feeSat)).toBeLessThanOrEqual(((weight + 2) * 10.5) / 4 + 1);
  });

  it('of one is a little more, which is relayed whatever is rounded', () => {
    expect(quoteOnchain(payer, { ...request, feeratePerVbyte: 1 }).feeratePerVbyte).toBe(1.012);
  });

  it('does not make coins count for closes that bring nothing at the market’s', () => {
    payer = new FakePayer(30_000n, ...Array.from({ length: 20 }, () => 1_000n));
    [payer.feeratePerKw, payer.reserveSat] = [5_000, 10_000n];
    const most = 30_000n - 10_000n;
    expect(() => quoteOnchain(payer, { ...request, amountSat: most, feeratePerVbyte: 1 })).toThrow(
      expect.objectContaining({ code: 'InsufficientFunds' }) as Error,
    );
    const { feeSat } = quoteOnchain(payer, { ...request, amountSat: 15_000n, feeratePerVbyte: 1 });
    expect(feeSat).toBeLessThan(200n);
  });
});

describe('a payment to several', () => {
  const other = 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry';

  it('pays each, and is one line', async () => {
    const outputs = [
      { address: ELSEWHERE, amountSat: 10_000n },
      { address: ` ${other}`, amountSat: 20_000n },
    ];
    const quote = quoteOnchain(payer, { outputs });
    expect(quote).toMatchObject({ amountSat: 30_000n, transactions: 1 });
    await payer.pay({ outputs, maxFeeSat: quote.feeSat, label: 'two at once' });
    const common = { address: `${ELSEWHERE}, ${other}`, amountSat: 30_000n, label: 'two at once' };
    expect(payer.sends).toMatchObject([{ ...common, feeSat: quote.feeSat }]);
    expect(arriving(payer.sends[0])).toBe(10_000n);
  });

  it('is without what goes to the wallet itself', async () => {
    const outputs = [
      { address: ELSEWHERE, amountSat: 10_000n },
      { address: payer.wallet.newAddress(), amountSat: 20_000n },
    ];
    await payer.pay({ outputs });
    expect(payer.sends[0]?.amountSat).toBe(10_000n);
  });
});

describe('a payment of many coins', () => {
  const request = { address: ELSEWHERE, amountSat: 'all' } as const;
  const freeSat = (): bigint => payer.wallet.balance(0n, 0).spendableSat;

  beforeEach(() => {
    payer = new FakePayer(...Array.from({ length: 30 }, () => 10_000n));
  });

  it('is signed between turns, while its coins are nobody else’s', async () => {
    const seen: unknown[] = [];
    payer.betweenTurns = (goOn) => {
      seen.push([payer.payments.progress, freeSat(), payer.sends.length]);
      goOn();
    };
    const { feeSat } = await payer.pay(request);
    expect(seen).toEqual([8, 16, 24].map((done) => [{ done, of: 30 }, 0n, 0]));
    expect(arriving(payer.sends[0])).toBe(300_000n - feeSat);
    expect([payer.payments.progress, payer.wallet.state.locked]).toEqual([undefined, []]);
  });

  it('is one of two at a time: neither has the other’s coins, and both are counted', async () => {
    payer = new FakePayer(...Array.from({ length: 60 }, () => 10_000n));
    const going: (() => void)[] = [];
    payer.betweenTurns = (goOn) => void going.push(goOn);
    const both = [1, 2].map(() => payer.pay({ address: ELSEWHERE, amountSat: 280_000n }));
    while (going.length < 2) await Promise.resolve();
    expect(payer.payments.progress?.done).toBe(16);
    payer.betweenTurns = (goOn) => goOn();
    for (const goOn of going) goOn();
    await Promise.all(both);
    const spent = payer.sends.flatMap(({ rawTx }) => decodeTransaction(rawTx).inputs.map(({ txid }) => toHex(txid)));
    expect(new Set(spent).size).toBe(spent.length);
    expect(payer.sends).toHaveLength(2);
  });

  it('is given up where one of them leaves the chain meanwhile, and the others are free again', async () => {
    const [coin] = payer.wallet.state.coins;
    payer.betweenTurns = (goOn) => {
      payer.wallet.transactionUnconfirmed(coin?.txid ?? new Uint8Array(0));
      goOn();
    };
    await expect(payer.pay(request)).rejects.toMatchObject({ code: 'CoinsChanged' });
    expect([freeSat(), payer.sends, payer.payments.progress]).toEqual([290_000n, [], undefined]);
  });

  /** More than a few coins, and not the change of what was paid before. */
  const most = { address: ELSEWHERE, amountSat: 250_000n } as const;
  const paidBefore = async (amountSat: bigint): Promise<OnchainSend> => {
    const { txid } = await payer.pay({ address: ELSEWHERE, amountSat });
    return payer.sent.get(txid) ?? fail();
  };
  const fail = (): never => {
    throw new Error('it was sent');
  };

  it('is given up where an earlier payment is taken back meanwhile, which could arrive beside it', async () => {
    const earlier = await paidBefore(5_000n);
    payer.betweenTurns = (goOn) => {
      payer.takeBack(earlier.txid, 'conflict');
      goOn();
    };
    await expect(payer.pay(most)).rejects.toMatchObject({ code: 'CoinsChanged' });
    expect([payer.sends, payer.payments.progress]).toEqual([[earlier], undefined]);
  });

  it('is given up too where a block has decided about another one at the same time', async () => {
    const settled = await paidBefore(5_000n);
    const later = await paidBefore(6_000n);
    payer.takeBack(settled.txid, 'conflict');
    payer.betweenTurns = (goOn) => {
      payer.sent.confirmed({ ...decodeTransaction(settled.rawTx), locktime: 9 });
      payer.takeBack(later.txid, 'conflict');
      goOn();
    };
    await expect(payer.pay(most)).rejects.toMatchObject({ code: 'CoinsChanged' });
    expect(payer.sends).toEqual([settled, later]);
  });

  it('may follow what was paid instead of an earlier one: that rules it out', async () => {
    const earlier = await paidBefore(5_000n);
    payer.takeBack(earlier.txid, 'conflict');
    const instead = await paidBefore(4_000n);
    const { txid } = await payer.pay(most);
    expect(payer.sends.map((send) => send.txid)).toEqual([earlier.txid, instead.txid, txid]);
  });

  it('need not rule out an earlier one whose coins have left the chain', async () => {
    const earlier = await paidBefore(5_000n);
    payer.takeBack(earlier.txid, 'missingInputs');
    for (const { txid } of decodeTransaction(earlier.rawTx).inputs) {
      payer.wallet.transactionUnconfirmed(txid);
      payer.wallet.transactionDropped(txid);
    }
    const { txid } = await payer.pay(most);
    expect(payer.sends.map((send) => send.txid)).toEqual([earlier.txid, txid]);
  });

  it('is given up where the wallet is closed meanwhile', async () => {
    payer.betweenTurns = (goOn) => {
      payer.payments.stop();
      goOn();
    };
    await expect(payer.pay(request)).rejects.toMatchObject({ code: 'WalletClosed' });
    expect([freeSat(), payer.sends]).toEqual([300_000n, []]);
  });

  it('of which a start finds the middle has spent nothing', async () => {
    const stored: Uint8Array[] = [];
    payer.betweenTurns = (goOn) => {
      stored.push(encodeWallet(payer.wallet.state));
      goOn();
    };
    await payer.pay(request);
    const again = new OnchainWallet(secp, descriptors, decodeWallet(stored[1] ?? new Uint8Array(0)));
    expect(again.balance(0n, 0).spendableSat).toBe(300_000n);
  });
});
