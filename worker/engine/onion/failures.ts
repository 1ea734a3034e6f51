import { concat, equalConstantTime } from '../primitives/bytes.ts';
import { hmacSha256 } from '../primitives/hash.ts';
import { ByteReader } from '../wire/reader.ts';
import { WireError } from '../wire/wire-error.ts';
import { ByteWriter } from '../wire/writer.ts';
import { addAttribution, AttributionReader, type AttributionData } from './attribution-data.ts';
import type { Failure } from './failure-message.ts';
import { decodeFailure, encodeFailure } from './failure-message.ts';
import { onionKey, onionStream, xorInto } from './onion-keys.ts';
import { PAYMENT_ONION_BYTES } from './sphinx.ts';

/** A failure and the hop that it comes from; 0 is the first hop of the route. */
export interface AttributedFailure {
  readonly hopIndex: number;
  readonly failure: Failure;
}

/** What an update_fail_htlc brings back. */
export interface ReturnPacket {
  readonly reason: Uint8Array;
  readonly attributionData?: AttributionData | undefined;
}

/** What the sender makes of a return packet. Hold times are those of the hops that could be authenticated. */
export type ReturnReading =
  | (AttributedFailure & { readonly kind: 'failed'; readonly holdTimesMs: readonly number[] })
  | {
      readonly kind: 'garbled';
      /** One or two hops side by side, of which one has garbled it; none where no attribution data came with it. */
      readonly blamedHops: readonly number[];
      readonly holdTimesMs: readonly number[];
      /** Without the layers of all hops: for another sender, on whose behalf the HTLC was sent on. */
      readonly unwrapped: ReturnPacket;
    };

/**
 * The `reason` of update_fail_htlc at the hop where a payment fails, under its own layer already (BOLT 4, Returning
 * Errors). 292 bytes for every failure of up to 256.
 */
export const buildFailure = (sharedSecret: Uint8Array, failure: Failure): Uint8Array =>
  wrapFailure(sharedSecret, authenticated(sharedSecret, failure));

/** `buildFailure` with attribution data. */
export const buildReturnPacket = (sharedSecret: Uint8Array, failure: Failure, holdTimeMs: number): ReturnPacket =>
  wrapReturnPacket(sharedSecret, { reason: authenticated(sharedSecret, failure) }, holdTimeMs);

/**
 * Adds a hop's layer to what came from the next hop, attribution data included. Not for an HTLC that came with a path key:
 * a blinded hop says nothing (BOLT 4, Returning Errors).
 */
export function wrapReturnPacket(sharedSecret: Uint8Array, packet: ReturnPacket, holdTimeMs: number): ReturnPacket {
  const { reason: covered, attributionData: downstream } = packet;
  const attributionData = addAttribution(sharedSecret, { holdTimeMs, covered, downstream });
  return { reason: wrapFailure(sharedSecret, covered), attributionData };
}

/**
 * What is kept of the `reason` of an update_fail_htlc. BOLT 4 sets no limit; every deployed node sends 292 bytes, and none
 * needs more than the onion had that went the other way. A longer one (65,000 bytes fit into a message) is as good as one that
 * nobody can read: it would lie in the channel's record, once for each HTLC, and be decrypted 27 times.
 */
export const boundedFailure = (reason: Uint8Array): Uint8Array =>
  reason.length <= PAYMENT_ONION_BYTES ? reason : new Uint8Array(0);

/** Adds (or takes off) a hop's layer: what every hop on the way back does. */
export function wrapFailure(sharedSecret: Uint8Array, packet: Uint8Array): Uint8Array {
  const wrapped = packet.slice();
  xorInto(wrapped, onionStream(onionKey('ammag', sharedSecret), wrapped.length));
  return wrapped;
}

/** The failure that is in a return packet, and whose; `undefined` when a hop has garbled it. */
export function decryptFailure(
  sharedSecrets: readonly Uint8Array[],
  reason: Uint8Array,
): AttributedFailure | undefined {
  const reading = readReturnPacket(sharedSecrets, { reason });
  return reading.kind === 'failed' ? { hopIndex: reading.hopIndex, failure: reading.failure } : undefined;
}

/** The sender's reading of a return packet; garbled when no hop's HMAC fits. */
export function readReturnPacket(sharedSecrets: readonly Uint8Array[], packet: ReturnPacket): ReturnReading {
  const { found, reason, attribution } = withoutLayers(sharedSecrets, packet);
  const { holdTimesMs, downstream } = attribution;
  if (found !== undefined) return { kind: 'failed', ...found, holdTimesMs: holdTimesMs.slice(0, found.hopIndex + 1) };
  const hopCount = packet.attributionData === undefined ? 0 : sharedSecrets.length;
  const unwrapped = { reason, attributionData: downstream };
  return { kind: 'garbled', blamedHops: blamedHops(holdTimesMs.length, hopCount), holdTimesMs, unwrapped };
}

const HMAC_BYTES = 32;
const PADDED_BYTES = 256;
const WORK_HOPS = 27;
const NOBODY = new Uint8Array(32);

function authenticated(sharedSecret: Uint8Array, failure: Failure): Uint8Array {
  const message = encodeFailure(failure);
  const padding = new Uint8Array(Math.max(0, PADDED_BYTES - message.length));
  const writer = new ByteWriter();
  writer.u16(message.length);
  writer.bytes(message);
  writer.u16(padding.length);
  writer.bytes(padding);
  const content = writer.finish();
  return concat(hmacSha256(onionKey('um', sharedSecret), content), content);
}

/**
 * Always does the work of 27 hops: the time until a retry must not tell the failing hop how far it is from the sender
 * (BOLT 4, Origin node).
 */
function withoutLayers(
  sharedSecrets: readonly Uint8Array[],
  packet: ReturnPacket,
): {
  readonly found: AttributedFailure | undefined;
  readonly reason: Uint8Array;
  readonly attribution: AttributionReader;
} {
  const attribution = new AttributionReader(packet.attributionData, sharedSecrets.length);
  let unwrapped = packet.reason;
  let reason = unwrapped;
  let found: AttributedFailure | undefined;
  for (let hopIndex = 0; hopIndex < Math.max(WORK_HOPS, sharedSecrets.length); hopIndex++) {
    const sharedSecret = sharedSecrets[hopIndex] ?? NOBODY;
    unwrapped = wrapFailure(sharedSecret, unwrapped);
    attribution.readHop(sharedSecret, unwrapped);
    const failure = authenticFailure(sharedSecret, unwrapped);
    if (hopIndex >= sharedSecrets.length) continue;
    reason = unwrapped;
    if (failure !== undefined) found ??= { hopIndex, failure };
  }
  return { found, reason, attribution };
}

/**
 * The first hop whose HMAC does not fit has garbled what came back, or the one before it, which had it last (BOLT 4, Origin
 * node). Where all fit, the last one has made what nobody can read.
 */
const blamedHops = (authentic: number, hopCount: number): readonly number[] =>
  [authentic - 1, authentic].filter((hop) => hop >= 0 && hop < hopCount);

function authenticFailure(sharedSecret: Uint8Array, packet: Uint8Array): Failure | undefined {
  const content = packet.slice(HMAC_BYTES);
  const expected = hmacSha256(onionKey('um', sharedSecret), content);
  return equalConstantTime(expected, packet.slice(0, HMAC_BYTES)) ? readContent(content) : undefined;
}

/** A packet that is authentic and yet unreadable is the hop's own doing: blame it with a code of no meaning. */
function readContent(content: Uint8Array): Failure {
  try {
    const reader = new ByteReader(content);
    return decodeFailure(reader.bytes(reader.u16()));
  } catch (error) {
    if (error instanceof WireError) return { kind: 'unknown', code: 0, data: new Uint8Array(0) };
    throw error;
  }
}
