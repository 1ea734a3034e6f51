import { describe, expect, it } from 'vitest';
import { equalBytes, fromHex } from '../../../worker/engine/primitives/bytes.ts';
import type { Coin } from '../../../worker/engine/wallet/coin.ts';
import { BRANCHES } from '../../../worker/engine/wallet/descriptors.ts';
import { decodeWallet, encodeWallet } from '../../../worker/engine/wallet/wallet-record.ts';
import { cursorsOf, EMPTY_WALLET } from '../../../worker/engine/wallet/wallet-state.ts';

const PLAIN: Coin = {
  txid: new Uint8Array(32).fill(1),
  vout: 3,
  branch: 'change',
  index: 7,
  amountSat: 12_345n,
  coinbase: false,
  own: false,
  trusted: false,
};

describe('the record of the on-chain wallet', () => {
  it.each<[string, Partial<Coin>]>([
    ['that is nothing special', {}],
    ['of a coinbase', { coinbase: true }],
    ['that the wallet made', { own: true }],
    ['that nobody can replace', { trusted: true }],
    ['of a transaction that the wallet paid for', { made: { weight: 561, feeSat: 1_000n } }],
    ['that is confirmed', { height: 100 }],
    ['that is spent', { spentBy: { txid: new Uint8Array(32).fill(2) } }],
    ['whose spending is confirmed', { height: 1, spentBy: { txid: new Uint8Array(32).fill(2), height: 5 } }],
    ['of the first address', { branch: 'receive', index: 0 }],
    ['of taproot', { branch: 'taproot' }],
    ['of another wallet of the same words', { branch: 'legacyChange' }],
  ])('keeps a coin %s', (_name, change) => {
    const state = { ...EMPTY_WALLET, coins: [{ ...PLAIN, ...change }], bestHeight: 300 };
    expect(decodeWallet(encodeWallet(state))).toEqual(state);
  });

  it('knows what a coin was paid with as long as it is not confirmed', () => {
    const made = { weight: 561, feeSat: 1_000n };
    const coins = [PLAIN, { ...PLAIN, vout: 4, height: 100, made }, { ...PLAIN, vout: 5, made }];
    const read = decodeWallet(encodeWallet({ ...EMPTY_WALLET, coins }));
    expect(read.coins.map((coin) => coin.made)).toEqual([undefined, undefined, made]);
  });

  it('keeps how far each branch is used', () => {
    const cursors = cursorsOf((branch) => ({ next: branch.length, used: BRANCHES.indexOf(branch) }));
    const state = { ...EMPTY_WALLET, cursors };
    expect(decodeWallet(encodeWallet(state)).cursors).toEqual(cursors);
  });

  it('is read where an older program wrote it, which knew of three branches', () => {
    const old = fromHex('000101021800000005000000030000000200000002000000010000000004000604000003e8');
    expect(decodeWallet(old)).toEqual({
      ...EMPTY_WALLET,
      cursors: {
        ...EMPTY_WALLET.cursors,
        receive: { next: 5, used: 3 },
        change: { next: 2, used: 2 },
        taproot: { next: 1, used: 0 },
      },
      bestHeight: 1000,
    });
  });

  it('is damaged where a coin is of no branch', () => {
    const record = encodeWallet({ ...EMPTY_WALLET, coins: [{ ...PLAIN, branch: 'nestedChange' }] });
    const at = record.findIndex((_byte, place) => equalBytes(record.subarray(place, place + 32), PLAIN.txid)) + 36;
    expect(decodeWallet(record).coins[0]?.branch).toBe('nestedChange');
    expect(() => decodeWallet(record.with(at, BRANCHES.length))).toThrow(
      expect.objectContaining({ code: 'RecordDamaged' }) as Error,
    );
  });
});
