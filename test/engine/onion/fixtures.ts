import { concat, fromHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import type { AttributionData } from '../../../worker/engine/onion/attribution-data.ts';
import { decode, encode } from '../../../worker/engine/wire/codec.ts';
import { bolt2ChannelMessages } from '../../../worker/engine/wire/messages/bolt2-channel.ts';
import { ByteReader } from '../../../worker/engine/wire/reader.ts';
import { codecOf } from '../../../worker/engine/wire/schema-codec.ts';

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

const attributionCodec = codecOf(bolt2ChannelMessages.update_fail_htlc.tlvs.attributionData[1]);

/** The 920 bytes of attribution data; none for none. */
export const attributionBytes = (data: AttributionData | undefined): Uint8Array =>
  data === undefined ? new Uint8Array(0) : encode(attributionCodec, data);

/** The reverse of `attributionBytes`. */
export const attributionOf = (bytes: Uint8Array): AttributionData => decode(attributionCodec, bytes);

/** With another last bit. */
export const flipped = (bytes: Uint8Array): Uint8Array =>
  concat(bytes.slice(0, -1), Uint8Array.of((bytes.at(-1) ?? 0) ^ 1));
