import { GlowwormError } from '../primitives/errors.ts';
import { fromHex, fromUtf8, toHex, toUtf8 } from '../primitives/bytes.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { MAX_MSAT, msat, type Msat } from '../primitives/units.ts';
import { buildOnion, PAYMENT_PAYLOADS_BYTES, payloadFrameBytes, type Onion } from '../onion/sphinx.ts';
import { encodePayload, type HopPayload } from '../onion/payloads.ts';
import type { Path } from '../routing/path.ts';
import type { PathHop } from '../routing/route.ts';
import { recordFormat } from '../wire/stored-record.ts';
import type { Invoice } from './invoice.ts';

/** One HTLC of a payment. With its session key the onion can be built again at any time. */
export interface PaymentPart {
  readonly channelKey: string;
  readonly htlcId: bigint;
  readonly sessionKey: Uint8Array;
  readonly hops: readonly PathHop[];
}

/** Why a payment failed, with a sentence for the person who sent it. */
export interface PaymentFailure {
  readonly code: string;
  readonly message: string;
}

/** A payment of an invoice. Its id is the payment hash: one hash is paid at most once. */
export interface OutboundPayment {
  readonly paymentHash: Uint8Array;
  readonly invoiceText: string;
  readonly amountMsat: Msat;
  /** The most that it may cost beside the amount; absent: the wallet's own limit. */
  readonly maxFeeMsat?: Msat;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly attempts: number;
  readonly state:
    | {
        readonly kind: 'pending';
        readonly parts: readonly PaymentPart[];
        /** The payment will fail when its last part is back: no part is tried again. */
        readonly failure?: PaymentFailure;
      }
    | { readonly kind: 'succeeded'; readonly preimage: Uint8Array; readonly feeMsat: Msat; readonly at: number }
    | { readonly kind: 'failed'; readonly failure: PaymentFailure; readonly at: number };
}

/** What the payee must find in the onion. */
export interface OnionTerms {
  readonly paymentHash: Uint8Array;
  readonly paymentSecret: Uint8Array;
  readonly totalMsat: Msat;
  readonly paymentMetadata?: Uint8Array;
}

export const onionTerms = (invoice: Invoice, totalMsat: Msat): OnionTerms => ({
  paymentHash: invoice.paymentHash,
  paymentSecret: invoice.paymentSecret,
  totalMsat,
  ...(invoice.paymentMetadata === undefined ? {} : { paymentMetadata: invoice.paymentMetadata }),
});

/** The onion of one part (BOLT 4, Packet Structure): every hop learns the HTLC that it passes on. */
export function partOnion(
  secp: Secp256k1,
  terms: OnionTerms,
  part: { readonly sessionKey: Uint8Array; readonly hops: Path['hops'] },
): Onion {
  const hops = part.hops.map((hop, index) => {
    const next = part.hops[index + 1];
    return { nodeId: hop.nodeId, payload: encodePayload(next === undefined ? finalPayload(terms, hop) : relay(next)) };
  });
  return buildOnion(secp, { sessionKey: part.sessionKey, hops, associatedData: terms.paymentHash });
}

/**
 * How many hops surely fit into an onion beside what the payee is told: the metadata of an invoice can fill half of it
 * (BOLT 11, field `m`). Counted with amounts and heights of full length.
 */
export function mostHops(terms: OnionTerms): number {
  const most = msat(MAX_MSAT);
  const widest = { nodeId: new Uint8Array(33), shortChannelId: 1n, amountMsat: most, cltvExpiry: 0xffff_ffff };
  const last = payloadFrameBytes(encodePayload(finalPayload({ ...terms, totalMsat: most }, widest)));
  return 1 + Math.floor((PAYMENT_PAYLOADS_BYTES - last) / payloadFrameBytes(encodePayload(relay(widest))));
}

const relay = ({ amountMsat, cltvExpiry, shortChannelId }: PathHop): HopPayload => ({
  amtToForward: amountMsat,
  outgoingCltvValue: cltvExpiry,
  shortChannelId,
});

const finalPayload = (terms: OnionTerms, { amountMsat, cltvExpiry }: PathHop): HopPayload => ({
  amtToForward: amountMsat,
  outgoingCltvValue: cltvExpiry,
  paymentData: { paymentSecret: terms.paymentSecret, totalMsat: terms.totalMsat },
  ...(terms.paymentMetadata === undefined ? {} : { paymentMetadata: terms.paymentMetadata }),
});

const paymentRecord = recordFormat('payment', 1, {
  amountMsat: [2, 'u64'],
  createdAt: [4, 'u64'],
  attempts: [6, 'u16'],
  state: [8, 'u8'],
  finishedAt: [10, 'u64'],
  feeMsat: [12, 'u64'],
  preimage: [14, 'remaining'],
  failureCode: [16, 'remaining'],
  failureMessage: [18, 'remaining'],
  parts: [
    20,
    {
      kind: 'rest',
      of: {
        kind: 'struct',
        fields: {
          channelKey: 'channelId',
          htlcId: 'u64',
          sessionKey: { kind: 'fixed', length: 32 },
          hops: {
            kind: 'counted',
            of: {
              kind: 'struct',
              fields: { nodeId: 'point', shortChannelId: 'u64', amountMsat: 'u64', cltvExpiry: 'u32' },
            },
          },
        },
      },
    },
  ],
});

const STATES = ['pending', 'succeeded', 'failed'] as const;
const NONE = new Uint8Array(0);

const feeLimitRecord = recordFormat('fee limit', 1, { maxFeeMsat: [2, 'u64'] });

/** `maxFeeMsat`, which has a record of its own beside the payment's. */
export const encodeFeeLimit = (maxFeeMsat: Msat): Uint8Array => feeLimitRecord.encode({ maxFeeMsat });

export const decodeFeeLimit = (bytes: Uint8Array): Msat => msat(feeLimitRecord.decode(bytes).maxFeeMsat);

/** All but the hash, which is the record's key, and the invoice and the fee limit, which have records of their own. */
export function encodePayment({ state, ...payment }: OutboundPayment): Uint8Array {
  const failure = state.kind === 'succeeded' ? undefined : state.failure;
  return paymentRecord.encode({
    amountMsat: payment.amountMsat,
    createdAt: BigInt(payment.createdAt),
    attempts: payment.attempts,
    state: STATES.indexOf(state.kind),
    finishedAt: state.kind === 'pending' ? 0n : BigInt(state.at),
    feeMsat: state.kind === 'succeeded' ? state.feeMsat : 0n,
    preimage: state.kind === 'succeeded' ? state.preimage : NONE,
    failureCode: failure === undefined ? NONE : fromUtf8(failure.code),
    failureMessage: failure === undefined ? NONE : fromUtf8(failure.message),
    parts:
      state.kind === 'pending' ? state.parts.map((part) => ({ ...part, channelKey: fromHex(part.channelKey) })) : [],
  });
}

export function decodePayment(paymentHash: Uint8Array, invoiceText: string, bytes: Uint8Array): OutboundPayment {
  const stored = paymentRecord.decode(bytes);
  const common = {
    paymentHash,
    invoiceText,
    amountMsat: msat(stored.amountMsat),
    createdAt: Number(stored.createdAt),
    attempts: stored.attempts,
  };
  const at = Number(stored.finishedAt);
  const failure = { code: toUtf8(stored.failureCode), message: toUtf8(stored.failureMessage) };
  switch (STATES[stored.state]) {
    case 'pending': {
      const parts = stored.parts.map((part) => ({
        ...part,
        channelKey: toHex(part.channelKey),
        hops: part.hops.map((hop) => ({ ...hop, amountMsat: msat(hop.amountMsat) })),
      }));
      return { ...common, state: { kind: 'pending', parts, ...(failure.code === '' ? {} : { failure }) } };
    }
    case 'succeeded':
      return {
        ...common,
        state: { kind: 'succeeded', preimage: stored.preimage, feeMsat: msat(stored.feeMsat), at },
      };
    case 'failed':
      return { ...common, state: { kind: 'failed', failure, at } };
    default:
      throw new GlowwormError('RecordIncomplete', 'a stored payment has an unknown state');
  }
}
