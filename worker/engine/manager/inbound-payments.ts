import { equalConstantTime, fromHex, toHex } from '../primitives/bytes.ts';
import { CLTV_CLAIM_BUFFER, MAX_CLTV_EXPIRY_DELTA } from '../primitives/lock-times.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { recordsBelow, type StoredRecords } from '../primitives/store.ts';
import { UndoableMap, type UndoLog } from '../primitives/undo-log.ts';
import { msat, type Msat } from '../primitives/units.ts';
import type { NodeSigner } from '../keys/ports.ts';
import type { Failure } from '../onion/failure-message.ts';
import { buildFailure } from '../onion/failures.ts';
import { hopInstruction } from '../onion/hop-instruction.ts';
import { decodePayload } from '../onion/payloads.ts';
import { peelOnion } from '../onion/sphinx.ts';
import {
  decodeInbound,
  encodeInbound,
  encodeInboundText,
  type HtlcName,
  type InboundPayment,
} from '../payments/inbound-payment.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import { readable } from '../wire/stored-record.ts';
import type { HtlcSwitch } from './htlc-switch.ts';
import type { RelayedHtlc } from './relayed-htlc.ts';
import type { Turn } from './turn.ts';

/** An inbound HTLC that waits for the other parts of its payment. */
interface HeldPart {
  readonly channelKey: string;
  readonly htlc: ChannelHtlc;
  readonly sharedSecret: Uint8Array;
}

interface HeldSet {
  readonly totalMsat: bigint;
  readonly since: number;
  readonly parts: readonly HeldPart[];
}

/** BOLT 4: parts of a payment wait for each other at least this long. */
export const MPP_TIMEOUT_MS = 60_000;

/** Every invoice of the wallet: what was paid, and the HTLCs that wait for the other parts of their payment. */
export class InboundPayments {
  readonly #secp: Secp256k1;
  readonly #node: NodeSigner;
  readonly #switch: HtlcSwitch;
  readonly #relay: (relayed: RelayedHtlc) => void;
  readonly #turn: () => Turn;
  readonly #payments: UndoableMap<string, InboundPayment>;
  readonly #held: UndoableMap<string, HeldSet>;

  constructor(deps: {
    readonly secp: Secp256k1;
    readonly node: NodeSigner;
    readonly htlcSwitch: HtlcSwitch;
    /** Takes over what is for somebody else. */
    readonly relay: (relayed: RelayedHtlc) => void;
    readonly turn: () => Turn;
    readonly undo: () => UndoLog | undefined;
  }) {
    this.#payments = new UndoableMap(deps.undo);
    this.#held = new UndoableMap(deps.undo);
    this.#secp = deps.secp;
    this.#node = deps.node;
    this.#switch = deps.htlcSwitch;
    this.#relay = deps.relay;
    this.#turn = deps.turn;
  }

  load(records: StoredRecords, log: (line: string) => void): void {
    for (const [key, bytes] of recordsBelow(records, 'inv/')) {
      if (key.includes('/')) continue;
      const payment = readable(() => decodeInbound(fromHex(key), bytes, records.get(`inv/${key}/text`)));
      if (payment === undefined) log(`the record of the invoice ${key} is damaged`);
      else this.#payments.set(key, payment);
    }
  }

  all(): readonly InboundPayment[] {
    return [...this.#payments.values()];
  }

  /** The preimage that was given for an HTLC of a channel. */
  preimageOf(htlc: HtlcName): Uint8Array | undefined {
    return this.all().find((payment) => hasPart(payment, htlc))?.preimage;
  }

  addInvoice(payment: InboundPayment): void {
    const key = toHex(payment.paymentHash);
    this.#payments.set(key, payment);
    this.#turn().writes.set(`inv/${key}/text`, encodeInboundText(payment));
    this.#save(payment);
  }

  /**
   * An inbound HTLC is irrevocably committed: claim it, hold it for the other parts, or fail it. The same answer for the
   * same HTLC after a restart.
   */
  accepted(channelKey: string, htlc: ChannelHtlc, blockHeight: number): void {
    const htlcId = htlc.id;
    const payment = this.#payments.get(toHex(htlc.paymentHash));
    // The preimage is out for these already: to give one back now, whatever is left of its onion, would give it away.
    if (payment !== undefined && hasPart(payment, { channelKey, htlcId }))
      return void this.#switch.claim([{ channelKey, htlcId }], payment.preimage);
    const peeled = peelOnion(this.#secp, {
      nodeSecretEcdh: (point) => this.#node.ecdh(point),
      packet: htlc.onion,
      associatedData: htlc.paymentHash,
    });
    if (peeled.kind === 'malformed') {
      const { failureCode, sha256OfOnion } = peeled;
      return this.#switch.fail(channelKey, { kind: 'failMalformed', htlcId, failureCode, sha256OfOnion });
    }
    const { sharedSecret } = peeled;
    const fail = (failure: Failure): void => this.#failPart({ channelKey, htlc, sharedSecret }, failure);
    if (peeled.kind === 'unreadable') return fail({ kind: 'invalid_onion_payload', type: 0n, offset: 0 });
    const decoded = decodePayload(peeled.payload);
    if (decoded.kind === 'invalid')
      return fail({ kind: 'invalid_onion_payload', type: decoded.type, offset: decoded.offset });
    const instruction = hopInstruction(decoded.payload, { onion: peeled.kind, pathKey: undefined });
    if (instruction.kind === 'invalid')
      return fail({ kind: 'invalid_onion_payload', type: instruction.type, offset: 0 });
    if (instruction.kind === 'relay' && peeled.kind === 'forward') {
      const { nextPacket } = peeled;
      return this.#relay({ ...instruction, channelKey, htlc, sharedSecret, nextPacket });
    }
    if (instruction.kind !== 'receive') return fail({ kind: 'unknown_next_peer' });
    if (instruction.amtToForward > htlc.amountMsat)
      return fail({ kind: 'final_incorrect_htlc_amount', incomingHtlcAmt: htlc.amountMsat });
    if (instruction.outgoingCltvValue > htlc.cltvExpiry)
      return fail({ kind: 'final_incorrect_cltv_expiry', cltvExpiry: htlc.cltvExpiry });
    const unknown: Failure = {
      kind: 'incorrect_or_unknown_payment_details',
      htlcMsat: htlc.amountMsat,
      height: blockHeight,
    };
    const { paymentData } = instruction.payload;
    const known = payment === undefined ? this.#switch.knownPreimage(channelKey, htlc.paymentHash) : undefined;
    // The invoice's record is lost, and its preimage is out: the HTLC is not given away either.
    if (known !== undefined) return void this.#switch.claim([{ channelKey, htlcId }], known);
    if (payment === undefined || paymentData === undefined) return fail(unknown);
    if (!equalConstantTime(paymentData.paymentSecret, payment.paymentSecret)) return fail(unknown);
    const { totalMsat } = paymentData;
    // A paid invoice is paid: taking it twice would teach payers that a preimage proves nothing.
    if (payment.received !== undefined || this.#turn().now > payment.expiresAt) return fail(unknown);
    if (payment.amountMsat !== undefined && (totalMsat < payment.amountMsat || totalMsat > 2n * payment.amountMsat))
      return fail(unknown);
    if (isTooLate(htlc, blockHeight)) return fail(unknown);
    if (htlc.cltvExpiry > blockHeight + MAX_CLTV_EXPIRY_DELTA) return fail({ kind: 'expiry_too_far' });
    // Our failure and not the channel's, which passes: payers may try again, and no other way to us would do.
    if (!this.#switch.isTipFresh()) return fail({ kind: 'temporary_node_failure' });
    if (!this.#switch.takesHtlcs(channelKey))
      return fail({ kind: 'temporary_channel_failure', channelUpdate: new Uint8Array(0) });
    this.#hold(payment, totalMsat, { channelKey, htlc, sharedSecret }, blockHeight);
  }

  /** Gives up sets of parts of which one can soon not be claimed any more. */
  bestBlockUpdated(blockHeight: number): void {
    for (const [key, set] of this.#held)
      if (set.parts.some(({ htlc }) => isTooLate(htlc, blockHeight))) this.#failSet(key, set, { kind: 'mpp_timeout' });
  }

  /** Gives up sets of parts that have waited too long. */
  timerTick(): void {
    const { now } = this.#turn();
    for (const [key, set] of this.#held) {
      if (now - set.since < MPP_TIMEOUT_MS) continue;
      this.#failSet(key, set, { kind: 'mpp_timeout' });
    }
  }

  #hold(payment: InboundPayment, totalMsat: bigint, part: HeldPart, blockHeight: number): void {
    const key = toHex(payment.paymentHash);
    const before = this.#held.get(key) ?? { totalMsat, since: this.#turn().now, parts: [] };
    const htlcMsat = part.htlc.amountMsat;
    if (before.totalMsat !== totalMsat)
      return this.#failPart(part, {
        kind: 'incorrect_or_unknown_payment_details',
        htlcMsat,
        height: blockHeight,
      });
    const others = before.parts.filter((held) => !isSamePart(held, part));
    const set = { ...before, parts: [...others, part] };
    this.#held.set(key, set);
    const receivedMsat = set.parts.reduce((sum, { htlc }) => sum + htlc.amountMsat, 0n);
    if (receivedMsat >= totalMsat) this.#claim(payment, set, msat(receivedMsat), blockHeight);
  }

  /** The set is complete: with the preimage all of its parts are ours, or it is not given away. */
  #claim(payment: InboundPayment, set: HeldSet, amountMsat: Msat, blockHeight: number): void {
    const key = toHex(payment.paymentHash);
    const parts = set.parts.map(({ channelKey, htlc }): HtlcName => ({ channelKey, htlcId: htlc.id }));
    const isLost = ({ channelKey, htlc }: HeldPart): boolean =>
      isTooLate(htlc, blockHeight) || !this.#switch.isFunded(channelKey);
    if (set.parts.some(isLost)) return this.#failSet(key, set, { kind: 'mpp_timeout' });
    const answer = this.#switch.claim(parts, payment.preimage);
    if (answer.kind === 'refused') return this.#failSet(key, set, { kind: 'mpp_timeout' });
    this.#held.delete(key);
    this.#save({ ...payment, received: { amountMsat, at: this.#turn().now, parts } });
    this.#switch.note('paymentReceived', key, amountMsat, payment.description);
  }

  #failSet(key: string, { parts }: HeldSet, failure: Failure): void {
    this.#held.delete(key);
    for (const part of parts) this.#failPart(part, failure);
  }

  #failPart({ channelKey, htlc, sharedSecret }: HeldPart, failure: Failure): void {
    const reason = buildFailure(sharedSecret, failure);
    this.#switch.fail(channelKey, { kind: 'fail', htlcId: htlc.id, reason });
  }

  #save(payment: InboundPayment): void {
    const key = toHex(payment.paymentHash);
    this.#payments.set(key, payment);
    this.#turn().writes.set(`inv/${key}`, encodeInbound(payment));
  }
}

/** Whether an HTLC expires too soon to be claimed on chain, where its peer does not take the preimage. */
const isTooLate = ({ cltvExpiry }: ChannelHtlc, blockHeight: number): boolean =>
  cltvExpiry < blockHeight + CLTV_CLAIM_BUFFER;

const hasPart = ({ received }: InboundPayment, { channelKey, htlcId }: HtlcName): boolean =>
  received?.parts.some((part) => part.channelKey === channelKey && part.htlcId === htlcId) === true;

const isSamePart = (a: HeldPart, b: HeldPart): boolean => a.channelKey === b.channelKey && a.htlc.id === b.htlc.id;
