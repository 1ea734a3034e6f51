import { concat } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { sha256 } from '../primitives/hash.ts';
import type { Transaction } from './transaction.ts';

const HALF = 0x100_0000;

/** The lower 48 bits of SHA256 of both payment basepoints, the opener's first (BOLT 3, Commitment Transaction). */
export function obscuringFactor(openerPaymentBasepoint: Uint8Array, acceptorPaymentBasepoint: Uint8Array): number {
  const digest = sha256(concat(openerPaymentBasepoint, acceptorPaymentBasepoint));
  return digest.subarray(26).reduce((value, byte) => value * 256 + byte, 0);
}

/** Locktime and input sequence that carry the obscured commitment number (counting up from 0). */
export function obscureCommitmentNumber(number: number, factor: number): { locktime: number; sequence: number } {
  if (!Number.isInteger(number) || number < 0 || number >= HALF * HALF)
    throw new GlowwormError('InvariantBroken', `${number} is not a commitment number`);
  const [high, low] = exclusiveOr(number, factor);
  return { locktime: 0x2000_0000 + low, sequence: 0x8000_0000 + high };
}

/** The commitment number that a transaction carries; `undefined` where it does not look like a commitment. */
export function commitmentNumberOf(tx: Transaction, factor: number): number | undefined {
  const sequence = tx.inputs[0]?.sequence ?? 0;
  if (tx.inputs.length !== 1 || sequence >>> 24 !== 0x80 || tx.locktime >>> 24 !== 0x20) return undefined;
  const [high, low] = exclusiveOr((sequence % HALF) * HALF + (tx.locktime % HALF), factor);
  return high * HALF + low;
}

/** Bitwise operators stop at 32 bits, so both halves are taken on their own. */
function exclusiveOr(a: number, b: number): readonly [number, number] {
  return [Math.floor(a / HALF) ^ Math.floor(b / HALF), (a % HALF) ^ (b % HALF)];
}
