import { equalBytes, fromHex, fromUtf8, toHex, toUtf8 } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { recordsBelow, type StoredRecords } from '../primitives/store.ts';
import { UndoableMap, type UndoLog } from '../primitives/undo-log.ts';
import { msat, type Msat } from '../primitives/units.ts';
import type { EntropySource } from '../keys/ports.ts';
import { failureCode, failureFlags, failureOfMalformed } from '../onion/failure-message.ts';
import { decryptFailure, type AttributedFailure } from '../onion/failures.ts';
import { PAYMENT_ONION_BYTES, type Onion } from '../onion/sphinx.ts';
import { storedInvoice } from '../payments/bolt11.ts';
import { expiresAt, type Invoice } from '../payments/invoice.ts';
import {
  decodeFeeLimit,
  decodePayment,
  encodeFeeLimit,
  encodePayment,
  onionTerms,
  partOnion,
  type OutboundPayment,
  type PaymentFailure,
  type PaymentPart,
} from '../payments/outbound-payment.ts';
import { pathFeeMsat, type Path } from '../routing/path.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { Removal } from '../transactions/commitment-spec.ts';
import { readable } from '../wire/stored-record.ts';
import type { HtlcSwitch } from './htlc-switch.ts';
import { explainFailure, explainLimit, isRetryable } from './payment-failure.ts';
import { offerOf, pathsFor } from './payment-paths.ts';
import type { Turn } from './turn.ts';

type PendingPayment = OutboundPayment & { readonly state: { readonly kind: 'pending' } };

/** A part of an outbound payment whose HTLC is under way, and the payment's other parts. */
interface PendingPart {
  readonly payment: PendingPayment;
  readonly part: PaymentPart;
  readonly others: readonly PaymentPart[];
}

const NOT_SENT: PaymentFailure = {
  code: 'PaymentNotSent',
  message:
    'The channel that was to carry this payment cannot do so any more. Nothing was paid: try again, or a smaller amount.',
};

const TIMED_OUT: PaymentFailure = {
  code: 'PaymentTimedOut',
  message:
    'The channel of this payment was closed before it arrived. Its amount comes back with the channel’s balance.',
};

/** How often a payment is tried by another way. */
const MAX_ATTEMPTS = 5;

/** Every payment that the wallet sends: what is under way, what became of the rest. */
export class OutboundPayments {
  readonly #secp: Secp256k1;
  readonly #entropy: EntropySource;
  readonly #switch: HtlcSwitch;
  readonly #turn: () => Turn;
  readonly #payments: UndoableMap<string, OutboundPayment>;
  /** Channels that failed, by payment; forgotten with the payment or the program. */
  readonly #excluded: UndoableMap<string, ReadonlySet<bigint>>;

  /** Hashes of which a record says that they were paid, or tried, and not how that ended; with the invoice, if that can be read. */
  readonly #damaged = new Map<string, string>();

  constructor(deps: {
    readonly secp: Secp256k1;
    readonly entropy: EntropySource;
    readonly htlcSwitch: HtlcSwitch;
    readonly turn: () => Turn;
    readonly undo: () => UndoLog | undefined;
  }) {
    this.#payments = new UndoableMap(deps.undo);
    this.#excluded = new UndoableMap(deps.undo);
    this.#secp = deps.secp;
    this.#entropy = deps.entropy;
    this.#switch = deps.htlcSwitch;
    this.#turn = deps.turn;
  }

  load(records: StoredRecords, log: (line: string) => void): void {
    const keys = new Set<string>();
    for (const [path] of recordsBelow(records, 'pay/')) keys.add(path.split('/')[0] ?? '');
    for (const key of keys) {
      const payment = readable(() => storedPayment(records, key));
      if (payment !== undefined) this.#payments.set(key, payment);
      else {
        const invoice = records.get(`pay/${key}/invoice`);
        this.#damaged.set(key, (invoice && readable(() => toUtf8(invoice))) ?? '');
        log(`a record of the payment ${key} is damaged`);
      }
    }
  }

  /**
   * Puts back what only a channel and its monitor know of: an HTLC of ours whose payment has no record. It is never tried again, for
   * nobody knows what was agreed to; it counts as sent once its preimage is there.
   */
  putBack(channelKey: string, htlc: ChannelHtlc): void {
    const key = toHex(htlc.paymentHash);
    const before = this.#payments.get(key);
    if (before !== undefined && !this.#isPutBack(before)) return;
    const parts = before?.state.kind === 'pending' ? before.state.parts : [];
    if (parts.some((part) => part.channelKey === channelKey && part.htlcId === htlc.id)) return;
    const invoiceText = this.#damaged.get(key) ?? '';
    const part = { channelKey, htlcId: htlc.id, sessionKey: new Uint8Array(32), hops: [] };
    if (before === undefined) this.#turn().writes.set(`pay/${key}/invoice`, fromUtf8(invoiceText));
    this.#save({
      paymentHash: htlc.paymentHash,
      invoiceText,
      amountMsat: msat((before?.amountMsat ?? 0n) + htlc.amountMsat),
      createdAt: this.#turn().now,
      attempts: MAX_ATTEMPTS,
      state: { kind: 'pending', parts: [...parts, part] },
    });
  }

  /** By this run: its other parts belong to the same payment. */
  #isPutBack({ state }: OutboundPayment): boolean {
    return state.kind === 'pending' && state.parts.every(({ hops }) => hops.length === 0);
  }

  all(): readonly OutboundPayment[] {
    return [...this.#payments.values()];
  }

  /** Whether the preimage is known that a payee gave for a payment: what is under way for it is not ours any more. */
  isPaid(paymentHash: Uint8Array): boolean {
    return this.#payments.get(toHex(paymentHash))?.state.kind === 'succeeded';
  }

  /** Whether what becomes of a payment is not known yet. */
  isPending(paymentHash: Uint8Array): boolean {
    return this.#payments.get(toHex(paymentHash))?.state.kind === 'pending';
  }

  /** The onion of an outbound HTLC of ours, built again from the payment's record. */
  onionOf(channelKey: string, htlcId: bigint): Uint8Array {
    for (const payment of this.#payments.values()) {
      if (payment.state.kind !== 'pending') continue;
      const part = payment.state.parts.find((each) => each.channelKey === channelKey && each.htlcId === htlcId);
      const onion = part && this.#onionOf(payment, part);
      if (onion !== undefined) return onion.packet;
    }
    return new Uint8Array(PAYMENT_ONION_BYTES);
  }

  /**
   * What the ways that `send` would take cost now, and the most that it would pay where a way fails and others are tried.
   * Changes nothing. Throws as `send` does.
   */
  quote(
    invoice: Invoice,
    amountMsat: Msat,
    blockHeight: number,
  ): { readonly feeMsat: Msat; readonly maxFeeMsat: Msat } {
    this.#checkUnpaid(toHex(invoice.paymentHash));
    const most = defaultMaxFeeMsat(amountMsat);
    const amounts = { amountMsat, totalMsat: amountMsat, maxFeeMsat: most };
    const paths = pathsFor(this.#switch, { invoice, ...amounts, excluded: new Set(), blockHeight });
    if ('code' in paths) throw new GlowwormError(paths.code, paths.message);
    return { feeMsat: msat(feesOf(paths)), maxFeeMsat: msat(most) };
  }

  /**
   * Pays an invoice, for fees of at most `maxFeeMsat` over all its parts and tries: without it two per cent, or ten satoshi
   * where that is more. Throws `PaymentAlreadySent`, `PaymentPending`, `PaymentDamaged`, `NoRoute`, `RouteTooLong`,
   * `LockTimeTooLong`, `InsufficientBalance`, `FeeTooHigh`, `ChainStale` or what stands against the HTLC; then nothing was sent and nothing is on record.
   */
  send(invoice: Invoice, invoiceText: string, amountMsat: Msat, blockHeight: number, maxFeeMsat?: Msat): string {
    const key = toHex(invoice.paymentHash);
    const before = this.#checkUnpaid(key);
    this.#excluded.delete(key);
    const payment: OutboundPayment = {
      paymentHash: invoice.paymentHash,
      invoiceText,
      amountMsat,
      createdAt: this.#turn().now,
      attempts: 0,
      state: { kind: 'pending', parts: [] },
      ...(maxFeeMsat === undefined ? {} : { maxFeeMsat }),
    };
    const parts = this.#sendParts(payment, invoice, amountMsat, blockHeight, []);
    if ('code' in parts) throw new GlowwormError(parts.code, parts.message);
    const { writes } = this.#turn();
    writes.set(`pay/${key}/invoice`, fromUtf8(invoiceText));
    if (maxFeeMsat !== undefined) writes.set(`pay/${key}/maxFee`, encodeFeeLimit(maxFeeMsat));
    else if (before?.maxFeeMsat !== undefined) writes.set(`pay/${key}/maxFee`, undefined);
    this.#save({ ...payment, attempts: 1, state: { kind: 'pending', parts } });
    return key;
  }

  /**
   * The counterparty of an outbound HTLC gave its preimage: the payment is made, whatever becomes of its other parts and
   * whatever was said of it before. The same preimage comes once for each part, and again after a reconnection.
   */
  fulfilled(htlc: ChannelHtlc, preimage: Uint8Array): void {
    const key = toHex(htlc.paymentHash);
    const payment = this.#payments.get(key);
    if (payment === undefined || payment.state.kind === 'succeeded') return;
    const feeMsat = msat(payment.state.kind === 'pending' ? feesOf(payment.state.parts) : 0n);
    const at = this.#turn().now;
    this.#save({ ...payment, state: { kind: 'succeeded', preimage, feeMsat, at } });
    this.#excluded.delete(key);
    this.#switch.note('paymentSent', key, payment.amountMsat, '');
  }

  /** An outbound HTLC was failed for good: try another way, or the payment has failed when no part is left. */
  failed(channelKey: string, htlc: ChannelHtlc, removal: Removal, blockHeight: number): void {
    const pending = this.#pendingPart(channelKey, htlc);
    if (pending === undefined) return;
    const { payment, part } = pending;
    const attributed = this.#readFailure(payment, part, removal);
    if (attributed !== undefined) this.#exclude(payment, part, attributed);
    const failure = explainFailure(attributed, part.hops.length);
    this.#partFailed(pending, isRetryable(attributed, part.hops.length), failure, blockHeight);
  }

  /**
   * An outbound HTLC was never signed and never will be, because a limit stands against it or its channel is over (which the
   * switch knows already): as if it had failed at once.
   */
  dropped(channelKey: string, htlc: ChannelHtlc, blockHeight: number): void {
    const pending = this.#pendingPart(channelKey, htlc);
    if (pending !== undefined) this.#partFailed(pending, true, NOT_SENT, blockHeight);
  }

  /** The chain has given an outbound HTLC back to us: its expiry has passed, so nothing is tried again. */
  timedOut(channelKey: string, htlc: ChannelHtlc, blockHeight: number): void {
    const pending = this.#pendingPart(channelKey, htlc);
    if (pending !== undefined) this.#partFailed(pending, false, TIMED_OUT, blockHeight);
  }

  /** The failed payment of the hash, if there is one. Throws `PaymentAlreadySent`, `PaymentPending`, `PaymentDamaged`. */
  #checkUnpaid(key: string): OutboundPayment | undefined {
    if (this.#damaged.has(key) && !this.#payments.has(key))
      throw new GlowwormError(
        'PaymentDamaged',
        'A record of this payment is damaged: it may be paid already, so it is not paid again. Ask the recipient for a new invoice.',
        { paymentId: key },
      );
    const before = this.#payments.get(key);
    if (before?.state.kind === 'succeeded')
      throw new GlowwormError('PaymentAlreadySent', 'This invoice is paid already.', { paymentId: key });
    if (before?.state.kind === 'pending')
      throw new GlowwormError('PaymentPending', 'A payment of this invoice is still under way.', { paymentId: key });
    return before;
  }

  /** Offers the HTLCs for an amount of a payment beside the parts that are out, or says why it cannot. */
  #sendParts(
    payment: OutboundPayment,
    invoice: Invoice,
    amountMsat: Msat,
    blockHeight: number,
    out: readonly PaymentPart[],
  ): readonly PaymentPart[] | PaymentFailure {
    const paths = pathsFor(this.#switch, {
      invoice,
      amountMsat,
      totalMsat: payment.amountMsat,
      blockHeight,
      maxFeeMsat: (payment.maxFeeMsat ?? defaultMaxFeeMsat(payment.amountMsat)) - feesOf(out),
      excluded: this.#excluded.get(toHex(invoice.paymentHash)) ?? new Set(),
    });
    return 'code' in paths ? paths : this.#offerAll(payment, invoice, paths);
  }

  #offerAll(
    payment: OutboundPayment,
    invoice: Invoice,
    paths: readonly Path[],
  ): readonly PaymentPart[] | PaymentFailure {
    const terms = onionTerms(invoice, payment.amountMsat);
    const parts: PaymentPart[] = [];
    for (const path of paths) {
      const { channelKey, hops } = path;
      const sessionKey = this.#entropy.getSecureRandomBytes();
      const onion = partOnion(this.#secp, terms, { sessionKey, hops }).packet;
      const htlc = this.#switch.offer(channelKey, offerOf(path, invoice.paymentHash, onion));
      // Parts that are out already time out at the payee; a first part that is refused means that nothing was sent.
      if ('code' in htlc) return parts.length > 0 ? parts : explainLimit(htlc);
      parts.push({ channelKey, htlcId: htlc.id, sessionKey, hops });
    }
    return parts;
  }

  #pendingPart(channelKey: string, htlc: ChannelHtlc): PendingPart | undefined {
    const payment = this.#payments.get(toHex(htlc.paymentHash));
    if (payment?.state.kind !== 'pending') return undefined;
    const { state } = payment;
    const part = state.parts.find((each) => each.channelKey === channelKey && each.htlcId === htlc.id);
    return part && { payment: { ...payment, state }, part, others: state.parts.filter((each) => each !== part) };
  }

  /**
   * A part is back. The payment has failed only when no other part is out: until then it may still be paid. The first reason
   * for which no part is tried again is the one to tell: what comes after it (`mpp_timeout`) only follows from it.
   */
  #partFailed(pending: PendingPart, retryable: boolean, reason: PaymentFailure, blockHeight: number): void {
    const { payment, others } = pending;
    const retried = retryable && payment.state.failure === undefined ? this.#retry(pending, blockHeight) : undefined;
    if (retried !== undefined) return this.#save(retried);
    const failure = payment.state.failure ?? reason;
    if (others.length > 0) return this.#save({ ...payment, state: { kind: 'pending', parts: others, failure } });
    this.#fail(payment, failure);
  }

  #retry({ payment, part, others }: PendingPart, blockHeight: number): OutboundPayment | undefined {
    if (payment.attempts >= MAX_ATTEMPTS) return undefined;
    const invoice = storedInvoice(this.#secp, payment.invoiceText);
    // What is expired by now is refused by its recipient: another try would only lock the money again.
    if (invoice === undefined || this.#turn().now > expiresAt(invoice)) return undefined;
    const delivered = part.hops.at(-1)?.amountMsat ?? msat(0n);
    const again = this.#sendParts(payment, invoice, delivered, blockHeight, others);
    if ('code' in again) return undefined;
    return { ...payment, attempts: payment.attempts + 1, state: { kind: 'pending', parts: [...others, ...again] } };
  }

  #readFailure(payment: OutboundPayment, part: PaymentPart, removal: Removal): AttributedFailure | undefined {
    if (removal.kind === 'fail') {
      const onion = this.#onionOf(payment, part);
      return onion && decryptFailure(onion.sharedSecrets, removal.reason);
    }
    if (removal.kind !== 'failMalformed') return undefined;
    const failure = failureOfMalformed(removal.failureCode, removal.sha256OfOnion);
    return failure === undefined ? undefined : { hopIndex: 0, failure };
  }

  /**
   * The channel behind the node that failed is not tried again in this payment, or with the NODE bit none of the node's
   * (BOLT 4, Receiving Failure Codes). A payee has no channel behind it.
   */
  #exclude(payment: OutboundPayment, { hops }: PaymentPart, { hopIndex, failure }: AttributedFailure): void {
    const [erring, next] = hops.slice(hopIndex, hopIndex + 2);
    if (erring === undefined || next === undefined) return;
    const isWhole = (failureCode(failure) & failureFlags.node) !== 0;
    const hints = isWhole ? (storedInvoice(this.#secp, payment.invoiceText)?.routeHints ?? []) : [];
    const ofNode = hints.flat().filter(({ nodeId }) => equalBytes(nodeId, erring.nodeId));
    const key = toHex(payment.paymentHash);
    const before = this.#excluded.get(key) ?? [];
    const failed = [next, ...ofNode].map(({ shortChannelId }) => shortChannelId);
    this.#excluded.set(key, new Set([...before, ...failed]));
  }

  #fail(payment: OutboundPayment, failure: PaymentFailure): void {
    const key = toHex(payment.paymentHash);
    this.#excluded.delete(key);
    this.#save({ ...payment, state: { kind: 'failed', failure, at: this.#turn().now } });
    this.#switch.note('paymentFailed', key, payment.amountMsat, failure.message);
  }

  /** `undefined` for an invoice that this version would not have paid, and for a part that was put back. */
  #onionOf(payment: OutboundPayment, part: PaymentPart): Onion | undefined {
    if (part.hops.length === 0) return undefined;
    const invoice = storedInvoice(this.#secp, payment.invoiceText);
    return invoice && partOnion(this.#secp, onionTerms(invoice, payment.amountMsat), part);
  }

  #save(payment: OutboundPayment): void {
    const key = toHex(payment.paymentHash);
    this.#payments.set(key, payment);
    this.#turn().writes.set(`pay/${key}`, encodePayment(payment));
  }
}

/** `undefined` where one of its records is missing. */
function storedPayment(records: StoredRecords, key: string): OutboundPayment | undefined {
  const [bytes, invoice] = [records.get(`pay/${key}`), records.get(`pay/${key}/invoice`)];
  if (bytes === undefined || invoice === undefined) return undefined;
  const payment = decodePayment(fromHex(key), toUtf8(invoice), bytes);
  const limit = records.get(`pay/${key}/maxFee`);
  if (limit === undefined) return payment;
  // Where nobody knows what was agreed to, no other way is tried.
  return { ...payment, maxFeeMsat: readable(() => decodeFeeLimit(limit)) ?? msat(0n) };
}

/** What a payment may cost: two per cent, and ten satoshi for small payments. */
const defaultMaxFeeMsat = (amountMsat: bigint): bigint => (amountMsat / 50n > 10_000n ? amountMsat / 50n : 10_000n);

const feesOf = (paths: readonly Path[]): bigint => paths.reduce((sum, path) => sum + pathFeeMsat(path), 0n);
