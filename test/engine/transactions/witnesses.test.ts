import { expect, it } from 'vitest';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { p2wpkhWitness, toLocalPenaltyWitness } from '../../../worker/engine/transactions/witnesses.ts';

it('the branch of a penalty is chosen by 01, since the network relays no other truth (MINIMALIF)', () => {
  const [, branch] = toLocalPenaltyWitness(new Uint8Array(64).fill(1), Uint8Array.of(0x63));
  expect(toHex(branch ?? new Uint8Array(0))).toBe('01');
});

it('a key hash is answered with the signature and the key (BIP 141)', () => {
  const key = new Uint8Array(33).fill(2);
  const witness = p2wpkhWitness(new Uint8Array(64).fill(1), key);
  expect(witness).toHaveLength(2);
  expect(witness[1]).toBe(key);
});
