import { concat, equalConstantTime } from '../primitives/bytes.ts';
import { hmacSha256 } from '../primitives/hash.ts';
import type { Codec } from '../wire/codec.ts';
import { decode, encode } from '../wire/codec.ts';
import type { MessageOf } from '../wire/message.ts';
import { bolt2ChannelMessages } from '../wire/messages/bolt2-channel.ts';
import { codecOf } from '../wire/schema-codec.ts';
import { onionKey, onionStream, xorInto } from './onion-keys.ts';

/*
 * 920 bytes, for 20 hops (BOLT 4, Initialization of attribution_data). Block x holds the HMACs of the hop that is x hops
 * away, one for each number y of hops that may be behind it:
 *
 *     hold time 0 | … | hold time 19 | hmac 0,19 | … | hmac 0,0 | hmac 1,18 | … | hmac 1,0 | … | hmac 19,0
 */

/** Who held an HTLC for how long, for whoever sent it: as update_fulfill_htlc and update_fail_htlc carry it. */
export type AttributionData = NonNullable<MessageOf<'update_fail_htlc'>['tlvs']['attributionData']>;

/** As many hops can say how long they held an HTLC. */
export const MAX_ATTRIBUTED_HOPS = 20;

/** What a hop adds. */
export interface HopAttribution {
  /** From the moment when the HTLC was irrevocably ours until now. */
  readonly holdTimeMs: number;
  /** The return packet, or the fulfillment payload, before the hop's own layer; empty where there is none. */
  readonly covered: Uint8Array;
  /** What came from behind; absent where the HTLC ends, or where the next hop had none. */
  readonly downstream?: AttributionData | undefined;
}

/** Adds a hop's hold time and HMACs, under its own layer already: what every hop on the way back does. */
export function addAttribution(sharedSecret: Uint8Array, hop: HopAttribution): AttributionData {
  const { holdTimeMs, covered, downstream } = hop;
  const data = downstream === undefined ? new Uint8Array(DATA_BYTES) : shiftedBack(encode(codec, downstream));
  new DataView(data.buffer).setUint32(0, holdTimeUnits(holdTimeMs));
  const um = onionKey('um', sharedSecret);
  for (let y = 0; y < MAX_ATTRIBUTED_HOPS; y++) data.set(truncatedHmac(um, covered, data, y), hmacAt(0, y));
  return decode(codec, withLayer(sharedSecret, data));
}

/**
 * Takes the hops' layers off again, first hop first. Blinded hops have none, and no hop behind one that does not know
 * attribution data, or has garbled it, can be read. The work does not tell how many hops there are.
 */
export class AttributionReader {
  readonly #hopCount: number;
  #data: Uint8Array;
  #isWhole: boolean;
  #index = 0;
  readonly #holdTimesMs: number[] = [];

  constructor(data: AttributionData | undefined, hopCount: number) {
    this.#hopCount = Math.min(hopCount, MAX_ATTRIBUTED_HOPS);
    this.#data = data === undefined ? new Uint8Array(DATA_BYTES) : encode(codec, data);
    this.#isWhole = data !== undefined;
  }

  /** Reads the next hop, which has to cover these bytes. */
  readHop(sharedSecret: Uint8Array, covered: Uint8Array): void {
    const index = this.#index++;
    if (index >= MAX_ATTRIBUTED_HOPS) return;
    const isHop = index < this.#hopCount;
    // The HMACs of a route and those that are computed for nothing have the same lengths together, however long it is.
    const hopsBehind = isHop ? this.#hopCount - 1 - index : index;
    const data = withLayer(sharedSecret, this.#data);
    const expected = truncatedHmac(onionKey('um', sharedSecret), covered, data, hopsBehind);
    const isAuthentic = equalConstantTime(expected, hmacOf(data, 0, hopsBehind));
    if (!isHop) return;
    this.#isWhole &&= isAuthentic;
    if (this.#isWhole) this.#holdTimesMs.push(UNIT_MS * new DataView(data.buffer).getUint32(0));
    this.#data = shiftedForth(data);
  }

  /** Of every hop that is authentic, first hop first; 0 where a hop does not say. */
  get holdTimesMs(): readonly number[] {
    return this.#holdTimesMs;
  }

  /** What the hops have passed on from behind the last of them; `undefined` when one of them is not authentic. */
  get downstream(): AttributionData | undefined {
    return this.#isWhole ? decode(codec, this.#data) : undefined;
  }
}

const codec: Codec<AttributionData> = codecOf(bolt2ChannelMessages.update_fail_htlc.tlvs.attributionData[1]);

const UNIT_MS = 100;
const HOLD_TIME_BYTES = 4;
const HMAC_BYTES = 4;
const HOLD_TIMES_BYTES = MAX_ATTRIBUTED_HOPS * HOLD_TIME_BYTES;
const DATA_BYTES = HOLD_TIMES_BYTES + (HMAC_BYTES * MAX_ATTRIBUTED_HOPS * (MAX_ATTRIBUTED_HOPS + 1)) / 2;

/** A clock that was set back makes no hold time, and none is longer than its field. */
const holdTimeUnits = (holdTimeMs: number): number =>
  Math.min(0xffff_ffff, Math.max(0, Math.floor(holdTimeMs / UNIT_MS)));

/** Where the HMAC of the hop that is `x` away begins, for `y` hops behind it. */
const hmacAt = (x: number, y: number): number =>
  HOLD_TIMES_BYTES + HMAC_BYTES * (x * MAX_ATTRIBUTED_HOPS - (x * (x - 1)) / 2 + MAX_ATTRIBUTED_HOPS - 1 - x - y);

const hmacOf = (data: Uint8Array, x: number, y: number): Uint8Array =>
  data.slice(hmacAt(x, y), hmacAt(x, y) + HMAC_BYTES);

/** HMACs `most` to 0 of the hop that is `x` away. */
const hmacsOf = (data: Uint8Array, x: number, most: number): Uint8Array =>
  data.slice(hmacAt(x, most), hmacAt(x, 0) + HMAC_BYTES);

function truncatedHmac(um: Uint8Array, covered: Uint8Array, data: Uint8Array, hopsBehind: number): Uint8Array {
  const holdTimes = data.slice(0, HOLD_TIME_BYTES * (hopsBehind + 1));
  const behind = Array.from({ length: hopsBehind }, (_, x) => hmacOf(data, x + 1, hopsBehind - 1 - x));
  return hmacSha256(um, concat(covered, holdTimes, ...behind)).slice(0, HMAC_BYTES);
}

/** One hop further from the sender: every hop loses the HMAC for a position that no route has any more. */
function shiftedBack(data: Uint8Array): Uint8Array {
  const shifted = new Uint8Array(DATA_BYTES);
  shifted.set(data.slice(0, HOLD_TIMES_BYTES - HOLD_TIME_BYTES), HOLD_TIME_BYTES);
  for (let x = 1; x < MAX_ATTRIBUTED_HOPS; x++) {
    const most = MAX_ATTRIBUTED_HOPS - 1 - x;
    shifted.set(hmacsOf(data, x - 1, most), hmacAt(x, most));
  }
  return shifted;
}

/** The reverse; what was lost is zeros, and is in no HMAC that is looked at. */
function shiftedForth(data: Uint8Array): Uint8Array {
  const shifted = new Uint8Array(DATA_BYTES);
  shifted.set(data.slice(HOLD_TIME_BYTES, HOLD_TIMES_BYTES));
  for (let x = 1; x < MAX_ATTRIBUTED_HOPS; x++) {
    const most = MAX_ATTRIBUTED_HOPS - 1 - x;
    shifted.set(hmacsOf(data, x, most), hmacAt(x - 1, most));
  }
  return shifted;
}

function withLayer(sharedSecret: Uint8Array, data: Uint8Array): Uint8Array {
  const layered = data.slice();
  xorInto(layered, onionStream(onionKey('ammagext', sharedSecret), layered.length));
  return layered;
}
