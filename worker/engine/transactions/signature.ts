import { concat } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { SIGHASH_BYTE, type SighashType } from './sighash.ts';

/** DER of a 64-byte compact signature, 8 to 72 bytes, without a sighash byte. */
export function encodeDer(signature: Uint8Array): Uint8Array {
  const r = derInteger(signature.subarray(0, 32));
  const s = derInteger(signature.subarray(32, 64));
  return concat(Uint8Array.of(0x30, r.length + s.length), r, s);
}

/** The witness element of a 64-byte compact signature: DER and the sighash byte. */
export const witnessSignature = (signature: Uint8Array, type: SighashType): Uint8Array =>
  concat(encodeDer(signature), Uint8Array.of(SIGHASH_BYTE[type]));

/** The 64-byte compact form of a strict DER signature (BIP 66). Throws `MalformedSignature`. */
export function decodeDer(der: Uint8Array): Uint8Array {
  const rLength = der[3] ?? 0;
  const sLength = der[5 + rLength] ?? 0;
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || rLength + sLength + 6 !== der.length) throw malformed();
  const r = compactInteger(der.subarray(2, 4 + rLength));
  return concat(r, compactInteger(der.subarray(4 + rLength)));
}

/** Splits a witness element into the 64-byte compact signature and its sighash byte. Throws `MalformedSignature`. */
export function parseWitnessSignature(element: Uint8Array): { signature: Uint8Array; sighashByte: number } {
  const sighashByte = element[element.length - 1];
  if (sighashByte === undefined) throw malformed();
  return { signature: decodeDer(element.subarray(0, -1)), sighashByte };
}

function derInteger(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  const sign = (digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0);
  return concat(Uint8Array.of(0x02, sign.length + digits.length), sign, digits);
}

function compactInteger(der: Uint8Array): Uint8Array {
  const digits = der.subarray(2);
  const padded = digits[0] === 0;
  const negative = (digits[0] ?? 0) >= 0x80;
  // BIP 66: a zero byte leads only where the next byte would otherwise read as a sign.
  const superfluous = padded && digits.length > 1 && (digits[1] ?? 0) < 0x80;
  const value = padded ? digits.subarray(1) : digits;
  if (der[0] !== 0x02 || digits.length === 0 || negative || superfluous || value.length > 32) throw malformed();
  return concat(new Uint8Array(32 - value.length), value);
}

const malformed = (): GlowwormError => new GlowwormError('MalformedSignature', 'not a strict DER signature');
