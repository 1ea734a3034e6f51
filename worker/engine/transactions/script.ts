import { concat } from '../primitives/bytes.ts';
import { hash160, sha256 } from '../primitives/hash.ts';

/** The opcodes that the scripts of BOLT 3 are made of. */
export const OP = {
  IF: 0x63,
  NOTIF: 0x64,
  ELSE: 0x67,
  ENDIF: 0x68,
  RETURN: 0x6a,
  IFDUP: 0x73,
  DROP: 0x75,
  DUP: 0x76,
  SWAP: 0x7c,
  SIZE: 0x82,
  EQUAL: 0x87,
  EQUALVERIFY: 0x88,
  HASH160: 0xa9,
  CHECKSIG: 0xac,
  CHECKSIGVERIFY: 0xad,
  CHECKMULTISIG: 0xae,
  CLTV: 0xb1,
  CSV: 0xb2,
} as const;

/** An opcode as a number, or bytes (at most 75) as a push. */
export type ScriptPart = number | Uint8Array;

/** A script from its parts, which may be grouped in lists. */
export function script(...parts: readonly (ScriptPart | readonly ScriptPart[])[]): Uint8Array {
  const flat: readonly ScriptPart[] = parts.flat();
  return concat(
    ...flat.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : concat(Uint8Array.of(part.length), part))),
  );
}

/**
 * A script number in its one standard form: OP_0 to OP_16, otherwise the shortest little-endian push with room for
 * the sign bit. Both sides must build the same bytes, so there is no other choice. `value` is 0 to 2^32-1.
 */
export function scriptNumber(value: number): ScriptPart {
  if (value === 0) return 0;
  if (value <= 16) return 0x50 + value;
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  if ((bytes[bytes.length - 1] ?? 0) >= 0x80) bytes.push(0);
  return Uint8Array.from(bytes);
}

/** 22 bytes: version 0 and the HASH160 of a 33-byte public key. */
export const p2wpkh = (publicKey: Uint8Array): Uint8Array => script(0, hash160(publicKey));

/** 34 bytes: version 0 and the SHA256 of a witness script. */
export const p2wsh = (witnessScript: Uint8Array): Uint8Array => script(0, sha256(witnessScript));

/** 25 bytes; also the script code that a P2WPKH input signs (BIP 143). */
export const p2pkh = (publicKey: Uint8Array): Uint8Array =>
  script(OP.DUP, OP.HASH160, hash160(publicKey), OP.EQUALVERIFY, OP.CHECKSIG);

/** 23 bytes: the HASH160 of a P2WPKH script, which a spend shows (BIP 141, P2WPKH nested in BIP16 P2SH). */
export const p2shP2wpkh = (publicKey: Uint8Array): Uint8Array =>
  script(OP.HASH160, hash160(p2wpkh(publicKey)), OP.EQUAL);
