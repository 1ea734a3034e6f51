import { concat, equalConstantTime } from '../primitives/bytes.ts';
import { hmacSha256 } from '../primitives/hash.ts';
import { ByteReader } from '../wire/reader.ts';
import { WireError } from '../wire/wire-error.ts';
import { ByteWriter } from '../wire/writer.ts';
import type { Failure } from './failure-message.ts';
import { decodeFailure, encodeFailure } from './failure-message.ts';
import { onionKey, onionStream, xorInto } from './onion-keys.ts';
import { PAYMENT_ONION_BYTES } from './sphinx.ts';

/** A failure and the hop that it comes from; 0 is the first hop of the route. */
export interface AttributedFailure {
  readonly hopIndex: number;
  readonly failure: Failure;
}

/**
 * The `reason` of update_fail_htlc at the hop where a payment fails, under its own layer already (BOLT 4, Returning
 * Errors). 292 bytes for every failure of up to 256.
 */
export function buildFailure(sharedSecret: Uint8Array, failure: Failure): Uint8Array {
  const message = encodeFailure(failure);
  const padding = new Uint8Array(Math.max(0, PADDED_BYTES - message.length));
  const writer = new ByteWriter();
  writer.u16(message.length);
  writer.bytes(message);
  writer.u16(padding.length);
  writer.bytes(padding);
  const content = writer.finish();
  return wrapFailure(sharedSecret, concat(hmacSha256(onionKey('um', sharedSecret), content), content));
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

/**
 * The sender's reading of a returned packet; `undefined` when no hop's HMAC fits, that is, when a hop has garbled it.
 * Always does the work of 27 hops: the time until a retry must not tell the failing hop how far it is from the sender.
 */
export function decryptFailure(
  sharedSecrets: readonly Uint8Array[],
  packet: Uint8Array,
): AttributedFailure | undefined {
  let unwrapped = packet;
  let found: AttributedFailure | undefined;
  for (let hopIndex = 0; hopIndex < Math.max(WORK_HOPS, sharedSecrets.length); hopIndex++) {
    const sharedSecret = sharedSecrets[hopIndex] ?? NOBODY;
    unwrapped = wrapFailure(sharedSecret, unwrapped);
    const failure = authenticFailure(sharedSecret, unwrapped);
    if (failure !== undefined && found === undefined && hopIndex < sharedSecrets.length) found = { hopIndex, failure };
  }
  return found;
}

const HMAC_BYTES = 32;
const PADDED_BYTES = 256;
const WORK_HOPS = 27;
const NOBODY = new Uint8Array(32);

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
