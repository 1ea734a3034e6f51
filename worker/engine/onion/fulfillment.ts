import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { addAttribution, AttributionReader, type AttributionData } from './attribution-data.ts';
import { wrapFailure } from './failures.ts';
import { onionKey } from './onion-keys.ts';

/** What an update_fulfill_htlc brings back beside the preimage. */
export interface Fulfillment {
  readonly attributionData?: AttributionData | undefined;
  /** Of the payee for the sender (BOLT 4, since lightning/bolts#1344). */
  readonly fulfillmentPayload?: Uint8Array | undefined;
}

/** What the hops of a paid route have said. */
export interface FulfillmentReading {
  /** Of the hops that could be authenticated, first hop first. */
  readonly holdTimesMs: readonly number[];
  /** The payee's TLV stream; absent where there is none, or a hop has garbled it. */
  readonly payload?: Uint8Array | undefined;
}

/**
 * What is kept of a fulfillment payload: 32 kB, as the BOLT has it. A longer one is dropped, as if there were none: it would
 * leave no room for attribution data in the message.
 */
export const boundedFulfillmentPayload = (payload: Uint8Array | undefined): Uint8Array | undefined =>
  payload !== undefined && payload.length <= MAX_PAYLOAD_BYTES ? payload : undefined;

/**
 * Adds a hop's layer to what came from the next hop (BOLT 4, Hold times for successful payments), or to nothing where the
 * HTLC ends. An HTLC that came with a path key gets the payload only.
 */
export function wrapFulfillment(sharedSecret: Uint8Array, behind: Fulfillment, holdTimeMs: number): Fulfillment {
  const { attributionData: downstream, fulfillmentPayload } = behind;
  const covered = fulfillmentPayload ?? NOTHING;
  const attributionData = addAttribution(sharedSecret, { holdTimeMs, covered, downstream });
  return { attributionData, ...(fulfillmentPayload && { fulfillmentPayload: wrapFailure(sharedSecret, covered) }) };
}

/** The sender's reading of what came with the preimage; the last of the hops is the payee, who covers nothing. */
export function readFulfillment(
  sharedSecrets: readonly Uint8Array[],
  { attributionData, fulfillmentPayload }: Fulfillment,
): FulfillmentReading {
  const attribution = new AttributionReader(attributionData, sharedSecrets.length);
  const payee = sharedSecrets.at(-1);
  const sealed = withoutLayers(sharedSecrets.slice(0, -1), fulfillmentPayload, attribution);
  if (payee !== undefined) attribution.readHop(payee, NOTHING);
  const payload = payee && sealed && opened(payee, sealed);
  return { holdTimesMs: attribution.holdTimesMs, payload };
}

/**
 * What is behind the hops of a route that ends before the payee: a trampoline node passes it on, under its own layers, to
 * whom it knows not.
 */
export function unwrapFulfillment(
  sharedSecrets: readonly Uint8Array[],
  { attributionData, fulfillmentPayload }: Fulfillment,
): Fulfillment {
  const attribution = new AttributionReader(attributionData, sharedSecrets.length);
  const payload = withoutLayers(sharedSecrets, fulfillmentPayload, attribution);
  return { attributionData: attribution.downstream, fulfillmentPayload: payload };
}

const MAX_PAYLOAD_BYTES = 32_768;
const NOTHING = new Uint8Array(0);
const ZERO_NONCE = new Uint8Array(12);

function withoutLayers(
  sharedSecrets: readonly Uint8Array[],
  fulfillmentPayload: Uint8Array | undefined,
  attribution: AttributionReader,
): Uint8Array | undefined {
  let payload = fulfillmentPayload;
  for (const sharedSecret of sharedSecrets) {
    payload &&= wrapFailure(sharedSecret, payload);
    attribution.readHop(sharedSecret, payload ?? NOTHING);
  }
  return payload;
}

function opened(sharedSecret: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  try {
    return chacha20poly1305(onionKey('fulfillment', sharedSecret), ZERO_NONCE).decrypt(sealed);
  } catch {
    return undefined;
  }
}
