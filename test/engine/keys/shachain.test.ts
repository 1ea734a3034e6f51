import { describe, expect, it } from 'vitest';
import vectors from '../../vectors/bolt03-shachain.json' with { type: 'json' };
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import {
  EMPTY_SHACHAIN,
  insertSecret,
  lastSecret,
  perCommitmentSecret,
  PerCommitmentSecrets,
  retrieveSecret,
  shachainIndex,
  shachainSecret,
  type ShachainStore,
} from '../../../worker/engine/keys/shachain.ts';

describe('per-commitment secrets of BOLT 3, Appendix D', () => {
  it.each(vectors.generation)('generates: $name', ({ seed, index, output }) => {
    expect(toHex(shachainSecret(fromHex(seed), index))).toBe(output);
  });

  it.each(vectors.storage)('stores: $name', ({ inserts }) => {
    let store: ShachainStore | undefined = EMPTY_SHACHAIN;
    for (const { index, secret, ok } of inserts) {
      store = store && insertSecret(store, index, fromHex(secret));
      expect(store !== undefined).toBe(ok);
    }
  });
});

describe('secrets that keep what neighbours share', () => {
  const seed = fromHex('5a'.repeat(32));

  it('are those that are derived from the seed each, in whatever order they are asked for', () => {
    const secrets = new PerCommitmentSecrets(seed);
    const last = 2 ** 48 - 1;
    const numbers = [0, 1, 2, 254, 255, 256, 257, 255, 511, 512, 0, 65_535, 65_536, 2 ** 32, 2 ** 47, last - 256, last];
    for (const number of numbers) expect(secrets.get(number)).toEqual(perCommitmentSecret(seed, number));
  });

  it('are not changed by what a caller does with one', () => {
    const secrets = new PerCommitmentSecrets(seed);
    secrets.get(255).fill(0);
    expect(secrets.get(255)).toEqual(perCommitmentSecret(seed, 255));
    expect(secrets.get(254)).toEqual(perCommitmentSecret(seed, 254));
  });
});

describe('the compact store', () => {
  const seed = fromHex('5a'.repeat(32));
  const filled = (count: number): ShachainStore => {
    let store: ShachainStore = EMPTY_SHACHAIN;
    for (let number = 0; number < count; number++)
      store = insertSecret(store, shachainIndex(number), perCommitmentSecret(seed, number)) ?? EMPTY_SHACHAIN;
    return store;
  };

  it('keeps every one of a thousand secrets in ten slots, and knows no later one', () => {
    const store = filled(1000);
    expect(store).toHaveLength(10);
    for (let number = 0; number < 1000; number++)
      expect(retrieveSecret(store, shachainIndex(number))).toEqual(perCommitmentSecret(seed, number));
    expect(retrieveSecret(store, shachainIndex(1000))).toBeUndefined();
  });

  it('knows the newest secret below a commitment, and zeros where none was revealed', () => {
    const store = filled(9);
    expect(lastSecret(store, 9)).toEqual(perCommitmentSecret(seed, 8));
    expect(lastSecret(store, 1)).toEqual(perCommitmentSecret(seed, 0));
    expect([lastSecret(store, 0), lastSecret(store, 10)]).toEqual([new Uint8Array(32), new Uint8Array(32)]);
  });

  it('refuses a secret of another chain and an index that skips', () => {
    const store = filled(9);
    expect(insertSecret(store, shachainIndex(9), perCommitmentSecret(fromHex('5b'.repeat(32)), 9))).toBeUndefined();
    expect(insertSecret(EMPTY_SHACHAIN, shachainIndex(1), perCommitmentSecret(seed, 1))).toBeUndefined();
  });

  it('takes the last index of all', () => {
    expect(shachainIndex(2 ** 48 - 1)).toBe(0);
    expect(toHex(shachainSecret(seed, 0))).toBe(toHex(seed));
    expect(() => shachainIndex(2 ** 48)).toThrow('48 bits');
  });
});
