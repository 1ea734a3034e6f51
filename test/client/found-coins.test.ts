import { beforeEach, expect, it } from 'vitest';
import { quoteFound, sweepFound, type FoundSweeper, type Turns } from '../../worker/client/found-coins.ts';
import type { OnchainSend } from '../../worker/client/onchain-send.ts';
import { mnemonicSeed } from '../../worker/engine/keys/mnemonic.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import type { PaymentTerms } from '../../worker/engine/wallet/wallet-transaction.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';
import { paymentTerms } from '../engine/wallet/paid.ts';

const AT = 1_700_000_000_000;
const descriptors = new Descriptors(mnemonicSeed('abandon '.repeat(11) + 'about'), 'regtest');

/** A wallet with 25 coins of 10,000 sat on BIP 44 addresses. */
class Sweeper implements FoundSweeper, Turns {
  readonly network = 'regtest';
  readonly wallet: OnchainWallet = new OnchainWallet(secp, descriptors);
  readonly sends: OnchainSend[] = [];
  turns = 0;
  feeratePerKw = 1_000;

  constructor() {
    this.wallet.bestBlockUpdated(1_000);
    for (let index = 0; index < 25; index++) this.receive(index);
  }

  receive(index: number): void {
    const input = { txid: new Uint8Array(32).fill(index + 1), vout: 0, sequence: 0, witness: [] };
    const inputs = [{ ...input, scriptSig: new Uint8Array(0) }];
    const outputs = [{ amountSat: 10_000n, script: descriptors.script({ branch: 'legacy', index }) }];
    this.wallet.transactionConfirmed({ version: 2, inputs, outputs, locktime: 0 }, 990);
  }

  onchainTerms(): PaymentTerms {
    return paymentTerms({ feeratePerKw: this.feeratePerKw });
  }

  sendOnchain(send: OnchainSend): void {
    this.sends.push(send);
  }

  async durably<T>(work: () => T): Promise<T> {
    this.turns++;
    return work();
  }
}

let sweeper: Sweeper;
beforeEach(() => {
  sweeper = new Sweeper();
});

it('a sweep brings and costs what was quoted, to one address, each transaction in a turn of its own', async () => {
  const { amountSat, feeSat, feeratePerVbyte } = quoteFound(sweeper);
  const swept = await sweepFound(sweeper, sweeper, feeSat, () => AT);
  expect(swept).toEqual({ txids: sweeper.sends.map(({ txid }) => txid), feeSat });
  const common = { at: AT, fate: { kind: 'waiting' }, address: sweeper.sends[0]?.address, amountSat: 0n };
  expect(sweeper.sends).toMatchObject([common, common]);
  expect([amountSat + feeSat, feeratePerVbyte, sweeper.turns]).toEqual([250_000n, 4, 3]);
  expect(sweeper.wallet.balance(0n, 0)).toMatchObject({ foundSat: 0n, unconfirmedSat: amountSat });
});

it('what comes while it goes on waits for the next one', async () => {
  const { feeSat } = quoteFound(sweeper);
  const swept = sweepFound(sweeper, sweeper, feeSat, () => AT);
  for (let index = 25; index < 50; index++) sweeper.receive(index);
  expect((await swept).txids).toHaveLength(2);
  expect((await swept).feeSat).toBe(feeSat);
  expect(sweeper.wallet.balance(0n, 0).foundSat).toBe(250_000n);
});

it('nothing is sent for more than was agreed to, or where nothing is worth it', async () => {
  const { feeSat } = quoteFound(sweeper);
  await expect(sweepFound(sweeper, sweeper, feeSat - 1n, () => AT)).rejects.toMatchObject({ code: 'FeeTooHigh' });
  sweeper.feeratePerKw = 50_000;
  expect(() => quoteFound(sweeper)).toThrow(expect.objectContaining({ code: 'NothingToSweep' }) as Error);
  await expect(sweepFound(sweeper, sweeper, undefined, () => AT)).rejects.toMatchObject({ code: 'NothingToSweep' });
  expect([sweeper.turns, sweeper.sends]).toEqual([0, []]);
});
