import { fromHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { ByteReader } from '../../../worker/engine/wire/reader.ts';

/** A payload from the vectors, which carry its length in front. */
export function unframed(hex: string): Uint8Array {
  const reader = new ByteReader(fromHex(hex));
  return reader.bytes(Number(reader.bigsize()));
}

/** The ECDH of a node with this secret. */
export const ecdhWith =
  (secret: Uint8Array) =>
  (point: Uint8Array): Uint8Array =>
    secp.ecdh(secret, point);
