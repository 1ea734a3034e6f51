import { KeysManager } from '../../../worker/engine/keys/keys-manager.ts';
import { OutboundPayments } from '../../../worker/engine/manager/outbound-payments.ts';
import { Turn } from '../../../worker/engine/manager/turn.ts';
import type { Failure } from '../../../worker/engine/onion/failure-message.ts';
import { buildFailure, wrapFailure } from '../../../worker/engine/onion/failures.ts';
import { decodeInvoice, encodeInvoice } from '../../../worker/engine/payments/bolt11.ts';
import type { Invoice, InvoiceFields } from '../../../worker/engine/payments/invoice.ts';
import {
  onionTerms,
  partOnion,
  type OutboundPayment,
  type PaymentPart,
} from '../../../worker/engine/payments/outbound-payment.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { msat } from '../../../worker/engine/primitives/units.ts';
import type { HintHop } from '../../../worker/engine/routing/route.ts';
import type { ChannelHtlc } from '../../../worker/engine/transactions/channel-htlc.ts';
import type { Removal } from '../../../worker/engine/transactions/commitment-spec.ts';
import { featureSet } from '../../../worker/engine/wire/features.ts';

export const HEIGHT = 800_000;
export const NOW = 1_700_000_000_000;
export const AMOUNT = 400_000n;
export const PREIMAGE: Uint8Array = new Uint8Array(32).fill(5);

const keys = (fill: number): KeysManager => new KeysManager(secp, new Uint8Array(64).fill(fill), 'regtest');
const PAYEE = keys(2);
export const PEER: Uint8Array = keys(1).nodeId;
export const PAYEE_ID: Uint8Array = PAYEE.nodeId;
/** A node between our peer and the payee. */
export const RELAY: Uint8Array = keys(4).nodeId;

export const step = (over: Partial<HintHop> = {}): HintHop => ({
  nodeId: PEER,
  shortChannelId: 1n,
  feeBaseMsat: 0,
  feeProportionalMillionths: 0,
  cltvExpiryDelta: 40,
  ...over,
});

/** An invoice of a payee to whom the hints lead, with its text. */
export function invoiceWith(
  routeHints: readonly (readonly HintHop[])[],
  over: Partial<InvoiceFields> = {},
): { readonly text: string; readonly invoice: Invoice } {
  const text = encodeInvoice((hash) => PAYEE.signInvoice(hash), {
    network: 'regtest',
    amountMsat: AMOUNT,
    timestamp: NOW / 1000,
    paymentHash: sha256(PREIMAGE),
    paymentSecret: new Uint8Array(32).fill(6),
    description: { kind: 'text', text: 'coffee' },
    expirySeconds: 3600,
    minFinalCltvExpiryDelta: 42,
    fallbackAddresses: [],
    features: featureSet({ var_onion_optin: 'compulsory', payment_secret: 'compulsory', basic_mpp: 'optional' }),
    ...over,
    routeHints,
  });
  return { text, invoice: decodeInvoice(secp, text) };
}

export interface PayerChannel {
  readonly key: string;
  readonly peer: Uint8Array;
  availableMsat: bigint;
  isOffline: boolean;
  isRefusing: boolean;
}

/** A channel by a letter: its key is that of a real one. */
export const channel = (letter: string, availableMsat: bigint, over: Partial<PayerChannel> = {}): PayerChannel => ({
  key: letter.repeat(64),
  peer: PEER,
  availableMsat,
  isOffline: false,
  isRefusing: false,
  ...over,
});

interface Offered {
  readonly channelKey: string;
  readonly htlc: ChannelHtlc;
}

/** A payer whose channels the test plays: what is offered leaves a channel's room, and comes back to it when it fails. */
export class Payer {
  readonly channels: PayerChannel[];
  readonly offered: Offered[] = [];
  /** Those that are neither failed nor fulfilled. */
  readonly out: Set<Offered> = new Set();
  readonly events: string[] = [];
  readonly log: string[] = [];
  readonly records = new Map<string, Uint8Array>();
  payments: OutboundPayments;
  now = NOW;
  #turn: Turn = new Turn(NOW);
  #random = 0;

  constructor(channels: PayerChannel[]) {
    this.channels = channels;
    this.payments = this.#make();
  }

  get payment(): OutboundPayment | undefined {
    return this.payments.all()[0];
  }

  get parts(): readonly PaymentPart[] {
    const state = this.payment?.state;
    return state?.kind === 'pending' ? state.parts : [];
  }

  run<T>(work: (payments: OutboundPayments) => T): T {
    this.#turn = new Turn(this.now);
    const value = work(this.payments);
    for (const [key, bytes] of this.#turn.writes)
      if (bytes === undefined) this.records.delete(key);
      else this.records.set(key, bytes);
    return value;
  }

  send({ invoice, text }: { readonly invoice: Invoice; readonly text: string }, maxFeeMsat?: bigint): void {
    const limit = maxFeeMsat === undefined ? undefined : msat(maxFeeMsat);
    this.run((payments) => payments.send(invoice, text, msat(invoice.amountMsat ?? AMOUNT), HEIGHT, limit));
  }

  quote({ invoice }: { readonly invoice: Invoice }): ReturnType<OutboundPayments['quote']> {
    return this.payments.quote(invoice, msat(invoice.amountMsat ?? AMOUNT), HEIGHT);
  }

  /** A hop of an HTLC's way says that it failed. */
  fail(failure: Failure, hopIndex: number, offered: Offered = this.newest()): void {
    this.failWith(this.packet(failure, hopIndex, offered), offered);
  }

  failWith(reason: Uint8Array, offered: Offered = this.newest()): void {
    this.remove(offered, { kind: 'fail', htlcId: offered.htlc.id, reason });
  }

  /** The HTLC is gone from both commitments. */
  remove(offered: Offered, removal: Removal): void {
    this.#back(offered);
    this.run((payments) => payments.failed(offered.channelKey, offered.htlc, removal, HEIGHT));
  }

  /** What comes back to us of a failure at a hop. */
  packet(failure: Failure, hopIndex: number, { channelKey, htlc }: Offered = this.newest()): Uint8Array {
    const part = this.parts.find((each) => each.channelKey === channelKey && each.htlcId === htlc.id);
    const payment = this.payment;
    if (part === undefined || payment === undefined) throw new Error('no such part');
    const terms = onionTerms(decodeInvoice(secp, payment.invoiceText), payment.amountMsat);
    const secrets = partOnion(secp, terms, part).sharedSecrets.slice(0, hopIndex + 1);
    const built = buildFailure(secrets.at(-1) ?? new Uint8Array(32), failure);
    return secrets.slice(0, -1).reduceRight((packet, secret) => wrapFailure(secret, packet), built);
  }

  drop(offered: Offered = this.newest()): void {
    this.#back(offered);
    this.run((payments) => payments.dropped(offered.channelKey, offered.htlc, HEIGHT));
  }

  fulfill(offered: Offered = this.newest()): void {
    this.out.delete(offered);
    this.run((payments) => payments.fulfilled(offered.htlc, PREIMAGE));
  }

  /** A start: the records are all that is known. */
  reload(): void {
    this.payments = this.#make();
    this.payments.load(this.records, (line) => void this.log.push(line));
  }

  close(letter: string): void {
    const at = this.channels.findIndex(({ key }) => key.startsWith(letter));
    this.channels.splice(at, 1);
  }

  newest(): Offered {
    const newest = this.offered.at(-1);
    if (newest === undefined) throw new Error('nothing was offered');
    return newest;
  }

  #back(offered: Offered): void {
    const from = this.channels.find(({ key }) => key === offered.channelKey);
    if (from !== undefined && this.out.has(offered)) from.availableMsat += offered.htlc.amountMsat;
    this.out.delete(offered);
  }

  #make(): OutboundPayments {
    return new OutboundPayments({
      secp,
      entropy: { getSecureRandomBytes: () => new Uint8Array(32).fill(++this.#random) },
      turn: () => this.#turn,
      undo: () => undefined,
      htlcSwitch: {
        firstHops: () =>
          this.channels.map(({ key, peer, availableMsat, isOffline }) => ({
            channelKey: key,
            counterpartyNodeId: peer,
            availableMsat: msat(availableMsat),
            isOffline,
          })),
        refusal: (channelKey) =>
          this.channels.some(({ key, isRefusing }) => key === channelKey && isRefusing)
            ? { code: 'DustExposure', message: 'too much dust' }
            : undefined,
        offer: (channelKey, offer) => {
          const from = this.channels.find(({ key }) => key === channelKey);
          if (from === undefined || from.availableMsat < offer.amountMsat)
            return { code: 'InsufficientChannelBalance', message: 'not that much' };
          from.availableMsat -= offer.amountMsat;
          const htlc: ChannelHtlc = { ...offer, direction: 'outbound', id: BigInt(this.offered.length) };
          this.offered.push({ channelKey, htlc });
          this.out.add(this.newest());
          return htlc;
        },
        claim: () => ({ kind: 'claimed' }),
        fail: () => undefined,
        isFunded: () => true,
        takesHtlcs: () => true,
        isTipFresh: () => true,
        knownPreimage: () => undefined,
        note: (kind) => void this.events.push(kind),
      },
    });
  }
}
