import { concat, fromHex } from '../../../worker/engine/primitives/bytes.ts';
import { hmacSha256 } from '../../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import type { AttributionData } from '../../../worker/engine/onion/attribution-data.ts';
import { onionKey, onionStream } from '../../../worker/engine/onion/onion-keys.ts';
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

/** The packet of a payment with other first bytes in its payloads, and an HMAC that says so is right. */
export function withPlaintext(
  packet: Uint8Array,
  of: { readonly sharedSecret: Uint8Array; readonly associatedData: Uint8Array },
  start: Uint8Array,
): Uint8Array {
  const payloads = packet.slice(34, 34 + 1300);
  const stream = onionStream(onionKey('rho', of.sharedSecret), start.length);
  payloads.set(start.map((byte, index) => byte ^ (stream[index] ?? 0)));
  const hmac = hmacSha256(onionKey('mu', of.sharedSecret), concat(payloads, of.associatedData));
  return concat(packet.slice(0, 34), payloads, hmac);
}
