import { concat, equalConstantTime } from '../primitives/bytes.ts';
import { assert, GlowwormError } from '../primitives/errors.ts';
import { hmacSha256, sha256 } from '../primitives/hash.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { ByteReader } from '../wire/reader.ts';
import { WireError } from '../wire/wire-error.ts';
import { ByteWriter } from '../wire/writer.ts';
import { failureMessages } from './failure-message.ts';
import { onionKey, onionStream, xorInto } from './onion-keys.ts';
import { hopSecrets, nextEphemeralKey } from './shared-secrets.ts';

/** The length in bytes of what a payment's onion carries for all hops together. */
export const PAYMENT_PAYLOADS_BYTES = 1300;

/** The length in bytes of a payment's onion packet. */
export const PAYMENT_ONION_BYTES = 1366;

export interface OnionHop {
  /** 33 bytes; a blinded one on a blinded path. */
  readonly nodeId: Uint8Array;
  /** The TLV stream for the hop, without its length. */
  readonly payload: Uint8Array;
}

export interface OnionParameters {
  /** 32 fresh random bytes; never used twice. */
  readonly sessionKey: Uint8Array;
  readonly hops: readonly OnionHop[];
  /** The payment hash for payments, empty for onion messages. */
  readonly associatedData: Uint8Array;
  /** 1300 for payments and small onion messages. */
  readonly payloadsBytes?: number;
}

export interface Onion {
  /** 66 bytes longer than the payloads: 1366 for payments. */
  readonly packet: Uint8Array;
  /** One per hop, 32 bytes; needed to read what comes back. */
  readonly sharedSecrets: readonly Uint8Array[];
}

export interface PeelParameters {
  /** ECDH with our node secret, tweaked when we are a hop of a blinded path. */
  readonly nodeSecretEcdh: (point: Uint8Array) => Uint8Array;
  readonly packet: Uint8Array;
  readonly associatedData: Uint8Array;
}

export type PeeledOnion =
  | { readonly kind: 'final'; readonly payload: Uint8Array; readonly sharedSecret: Uint8Array }
  | {
      readonly kind: 'forward';
      readonly payload: Uint8Array;
      readonly nextPacket: Uint8Array;
      readonly sharedSecret: Uint8Array;
    }
  /** Authentic, but without a payload of the length that it claims: fail with invalid_onion_payload. */
  | { readonly kind: 'unreadable'; readonly sharedSecret: Uint8Array }
  /** For update_fail_malformed_htlc: no shared secret could be trusted. */
  | { readonly kind: 'malformed'; readonly failureCode: number; readonly sha256OfOnion: Uint8Array };

/** The bytes that a payload takes of an onion, with its length and the HMAC behind it. */
export const payloadFrameBytes = (payload: Uint8Array): number => withLength(payload).length + HMAC_BYTES;

/**
 * Builds a packet (BOLT 4, Packet Construction). Throws `RouteTooLong` when the payloads do not fit, `InvariantBroken`
 * without a hop, and what the curve throws when a node id is no point.
 */
export function buildOnion(secp: Secp256k1, parameters: OnionParameters): Onion {
  const { sessionKey, hops, associatedData, payloadsBytes = PAYMENT_PAYLOADS_BYTES } = parameters;
  assert(hops.length > 0, 'an onion has a hop');
  const frames = hops.map(({ payload }) => withLength(payload));
  const used = hops.reduce((sum, { payload }) => sum + payloadFrameBytes(payload), 0);
  if (used > payloadsBytes)
    throw new GlowwormError('RouteTooLong', `The route needs ${used} of ${payloadsBytes} bytes of onion.`, { used });
  const nodeIds = hops.map(({ nodeId }) => nodeId);
  const secrets = hopSecrets(secp, sessionKey, nodeIds);
  const sharedSecrets = secrets.map(({ sharedSecret }) => sharedSecret);
  const { payloads, hmac } = wrapAll(frames, sharedSecrets, sessionKey, associatedData, payloadsBytes);
  const [first] = secrets;
  assert(first !== undefined, 'a secret per hop');
  return { packet: concat(VERSION, first.ephemeralKey, payloads, hmac), sharedSecrets };
}

/** Takes our layer off (BOLT 4, Onion Decryption). Whatever the packet holds, the answer is a value. */
export function peelOnion(secp: Secp256k1, parameters: PeelParameters): PeeledOnion {
  const { nodeSecretEcdh, packet, associatedData } = parameters;
  const ephemeralKey = packet.slice(1, 34);
  const payloads = packet.slice(34, packet.length - HMAC_BYTES);
  const hmac = packet.slice(packet.length - HMAC_BYTES);
  // A packet too short for an HMAC can't have a right one; a payment's onion has one length only.
  if (packet.length < HEADER_BYTES + HMAC_BYTES) return malformed(packet, 'invalid_onion_hmac');
  if (packet[0] !== 0) return malformed(packet, 'invalid_onion_version');
  if (!secp.isPoint(ephemeralKey)) return malformed(packet, 'invalid_onion_key');
  const sharedSecret = nodeSecretEcdh(ephemeralKey);
  const expected = hmacSha256(onionKey('mu', sharedSecret), concat(payloads, associatedData));
  if (!equalConstantTime(expected, hmac)) return malformed(packet, 'invalid_onion_hmac');

  // The hop behind us needs a full-size packet: decrypting zeros at the end makes the filler that the sender expects.
  const unwrapped = concat(payloads, new Uint8Array(payloads.length));
  xorInto(unwrapped, onionStream(onionKey('rho', sharedSecret), unwrapped.length));
  const read = readFrame(unwrapped.subarray(0, payloads.length));
  if (read === undefined) return { kind: 'unreadable', sharedSecret };
  if (read.nextHmac.every((byte) => byte === 0)) return { kind: 'final', payload: read.payload, sharedSecret };
  const nextPayloads = unwrapped.slice(read.size, read.size + payloads.length);
  const nextKey = nextEphemeralKey(secp, ephemeralKey, sharedSecret);
  const nextPacket = concat(VERSION, nextKey, nextPayloads, read.nextHmac);
  return { kind: 'forward', payload: read.payload, nextPacket, sharedSecret };
}

const VERSION = Uint8Array.of(0);
const HMAC_BYTES = 32;
const HEADER_BYTES = 34;

function withLength(payload: Uint8Array): Uint8Array {
  // Lengths 0 and 1 have had other meanings on the network; no TLV stream of a hop is that short.
  assert(payload.length >= 2, 'a hop has a payload');
  const writer = new ByteWriter();
  writer.bigsize(BigInt(payload.length));
  writer.bytes(payload);
  return writer.finish();
}

function wrapAll(
  frames: readonly Uint8Array[],
  sharedSecrets: readonly Uint8Array[],
  sessionKey: Uint8Array,
  associatedData: Uint8Array,
  payloadsBytes: number,
): { readonly payloads: Uint8Array; readonly hmac: Uint8Array } {
  // Noise instead of zeros behind the last hop's payload: that hop must not learn how long the route was.
  let payloads = onionStream(onionKey('pad', sessionKey), payloadsBytes);
  let hmac: Uint8Array = new Uint8Array(HMAC_BYTES);
  const filler = fillerOf(frames, sharedSecrets, payloadsBytes);
  for (const [index, frame] of [...frames.entries()].reverse()) {
    const sharedSecret = secretAt(sharedSecrets, index);
    payloads = concat(frame, hmac, payloads).slice(0, payloadsBytes);
    xorInto(payloads, onionStream(onionKey('rho', sharedSecret), payloadsBytes));
    if (index === frames.length - 1) payloads.set(filler, payloadsBytes - filler.length);
    hmac = hmacSha256(onionKey('mu', sharedSecret), concat(payloads, associatedData));
  }
  return { payloads, hmac };
}

/** What the hops before the last will have shifted in at the end, so that the HMACs cover it (BOLT 4, Filler Generation). */
function fillerOf(
  frames: readonly Uint8Array[],
  sharedSecrets: readonly Uint8Array[],
  payloadsBytes: number,
): Uint8Array {
  let filler = new Uint8Array(0);
  for (const [index, frame] of frames.slice(0, -1).entries()) {
    const size = frame.length + HMAC_BYTES;
    const stream = onionStream(onionKey('rho', secretAt(sharedSecrets, index)), payloadsBytes + size);
    const grown = new Uint8Array(filler.length + size);
    grown.set(filler);
    xorInto(grown, stream.subarray(payloadsBytes - filler.length));
    filler = grown;
  }
  return filler;
}

function secretAt(sharedSecrets: readonly Uint8Array[], index: number): Uint8Array {
  const secret = sharedSecrets[index];
  assert(secret !== undefined, 'a secret per hop');
  return secret;
}

function readFrame(
  payloads: Uint8Array,
): { readonly payload: Uint8Array; readonly nextHmac: Uint8Array; readonly size: number } | undefined {
  try {
    const reader = new ByteReader(payloads);
    const length = reader.bigsize();
    if (length < 2n || length > BigInt(reader.remaining)) return undefined;
    const payload = reader.bytes(Number(length));
    const nextHmac = reader.bytes(HMAC_BYTES);
    return { payload, nextHmac, size: payloads.length - reader.remaining };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

const malformed = (
  packet: Uint8Array,
  failure: 'invalid_onion_version' | 'invalid_onion_key' | 'invalid_onion_hmac',
): PeeledOnion => ({
  kind: 'malformed',
  failureCode: failureMessages[failure].code,
  sha256OfOnion: sha256(packet),
});
