import { getSharedSecret } from '@noble/secp256k1';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1 } from '../../../worker/engine/primitives/secp256k1.ts';

const secretOf = (number: number): Uint8Array => sha256(Uint8Array.of(number));

describe('ECDH with a point that comes again', () => {
  it('gives the same with a table as without one, and as another implementation', () => {
    const point = nobleSecp256k1.publicKey(secretOf(255));
    for (let i = 0; i < 12; i++) {
      const secret = secretOf(i);
      expect(nobleSecp256k1.ecdh(secret, point)).toEqual(sha256(getSharedSecret(secret, point)));
    }
  });

  it('agrees with the other side, whose point is new', () => {
    const [secret, point] = [secretOf(1), nobleSecp256k1.publicKey(secretOf(254))];
    for (let i = 0; i < 8; i++) nobleSecp256k1.ecdh(secretOf(i), point);
    const fromThere = nobleSecp256k1.ecdh(secretOf(254), nobleSecp256k1.publicKey(secret));
    expect(nobleSecp256k1.ecdh(secret, point)).toEqual(fromThere);
  });

  it('works for a point that is multiplied by public numbers too', () => {
    const point = nobleSecp256k1.publicKey(secretOf(253));
    const sums = new Set<string>();
    for (let i = 0; i < 20; i++) {
      nobleSecp256k1.ecdh(secretOf(3), point);
      sums.add(nobleSecp256k1.pointCombine(point, secretOf(1), point, secretOf(2)).join());
    }
    expect(sums.size).toBe(1);
    expect(nobleSecp256k1.ecdh(secretOf(3), point)).toEqual(sha256(getSharedSecret(secretOf(3), point)));
  });

  it('refuses a secret of zero and what is no point', () => {
    const point = nobleSecp256k1.publicKey(secretOf(252));
    for (let i = 0; i < 5; i++) {
      expect(() => nobleSecp256k1.ecdh(new Uint8Array(32), point)).toThrow('never zero');
      expect(() => nobleSecp256k1.ecdh(secretOf(1), new Uint8Array(33))).toThrow();
    }
  });
});
