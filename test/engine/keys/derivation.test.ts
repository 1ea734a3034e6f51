import { describe, expect, it } from 'vitest';
import vectors from '../../vectors/bolt03-key-derivation.json' with { type: 'json' };
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import {
  derivePubkey,
  deriveRevocationPubkey,
  deriveRevocationSecret,
  deriveSecret,
} from '../../../worker/engine/keys/derivation.ts';

describe('key derivation of BOLT 3, Appendix E', () => {
  const expected = (name: string): string | undefined => vectors.cases.find((vector) => vector.name === name)?.output;
  const baseSecret = fromHex(vectors.base_secret);
  const basepoint = fromHex(vectors.base_point);
  const point = fromHex(vectors.per_commitment_point);

  it('derives a public key', () => {
    expect(toHex(derivePubkey(secp, basepoint, point))).toBe(expected('pubkey'));
  });

  it('derives its secret', () => {
    expect(toHex(deriveSecret(secp, baseSecret, basepoint, point))).toBe(expected('privkey'));
  });

  it('derives a revocation key', () => {
    expect(toHex(deriveRevocationPubkey(secp, basepoint, point))).toBe(expected('revocation_pubkey'));
  });

  it('derives the secret of a revocation key', () => {
    const secret = deriveRevocationSecret(secp, baseSecret, fromHex(vectors.per_commitment_secret));
    expect(toHex(secret)).toBe(expected('revocation_privkey'));
  });
});
