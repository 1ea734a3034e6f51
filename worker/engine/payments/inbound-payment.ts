import { fromHex, fromUtf8, toHex, toUtf8 } from '../primitives/bytes.ts';
import { msat, type Msat } from '../primitives/units.ts';
import { readable, recordFormat } from '../wire/stored-record.ts';

/** An invoice of ours, paid or not. */
export interface InboundPayment {
  readonly paymentHash: Uint8Array;
  readonly preimage: Uint8Array;
  readonly paymentSecret: Uint8Array;
  /** Undefined: the payer chooses. */
  readonly amountMsat: Msat | undefined;
  readonly description: string;
  readonly invoiceText: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** What came, once the preimage was given away for it. */
  readonly received: ReceivedPayment | undefined;
}

export interface ReceivedPayment {
  readonly amountMsat: Msat;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The HTLCs that it came in: these are claimed until they are gone, and no other with the same hash ever is. */
  readonly parts: readonly HtlcName[];
}

/** An HTLC that a channel's counterparty offered to us. */
export interface HtlcName {
  readonly channelKey: string;
  readonly htlcId: bigint;
}

/** Blocks that our invoices ask the last HTLC to have left: a phone has most of a day to wake and to claim it. */
export const MIN_FINAL_CLTV_EXPIRY_DELTA = 144;

const invoiceRecord = recordFormat(
  'invoice',
  1,
  {
    preimage: [2, { kind: 'fixed', length: 32 }],
    paymentSecret: [4, { kind: 'fixed', length: 32 }],
    amountMsat: [6, 'u64'],
    createdAt: [8, 'u64'],
    expiresAt: [10, 'u64'],
    receivedMsat: [12, 'u64'],
    receivedAt: [14, 'u64'],
  },
  {
    parts: [15, { kind: 'rest', of: { kind: 'struct', fields: { channelKey: 'channelId', htlcId: 'u64' } } }],
  },
);

const textRecord = recordFormat('invoice text', 1, { description: [2, 'remaining'], invoiceText: [4, 'remaining'] });

/** The part that changes, for the key `inv/<hash>`. */
export const encodeInbound = (payment: InboundPayment): Uint8Array =>
  invoiceRecord.encode({
    preimage: payment.preimage,
    paymentSecret: payment.paymentSecret,
    amountMsat: payment.amountMsat ?? 0n,
    createdAt: BigInt(payment.createdAt),
    expiresAt: BigInt(payment.expiresAt),
    receivedMsat: payment.received?.amountMsat ?? 0n,
    receivedAt: BigInt(payment.received?.at ?? 0),
    ...(payment.received === undefined ? {} : { parts: payment.received.parts.map(partToRecord) }),
  });

/** The part that is written once, for the key `inv/<hash>/text`. */
export const encodeInboundText = ({ description, invoiceText }: InboundPayment): Uint8Array =>
  textRecord.encode({ description: fromUtf8(description), invoiceText: fromUtf8(invoiceText) });

/** Without its text, where that is lost or damaged, an invoice can be paid all the same. */
export function decodeInbound(
  paymentHash: Uint8Array,
  bytes: Uint8Array,
  textBytes: Uint8Array | undefined,
): InboundPayment {
  const stored = invoiceRecord.decode(bytes);
  const text = (textBytes && readable(() => textRecord.decode(textBytes))) ?? NO_TEXT;
  return {
    paymentHash,
    preimage: stored.preimage,
    paymentSecret: stored.paymentSecret,
    amountMsat: stored.amountMsat === 0n ? undefined : msat(stored.amountMsat),
    description: toUtf8(text.description),
    invoiceText: toUtf8(text.invoiceText),
    createdAt: Number(stored.createdAt),
    expiresAt: Number(stored.expiresAt),
    received: stored.receivedAt === 0n ? undefined : receivedFrom(stored),
  };
}

const NO_TEXT = { description: new Uint8Array(0), invoiceText: new Uint8Array(0) };

const partToRecord = ({ channelKey, htlcId }: HtlcName): { channelKey: Uint8Array; htlcId: bigint } => ({
  channelKey: fromHex(channelKey),
  htlcId,
});

const receivedFrom = ({
  receivedMsat,
  receivedAt,
  parts = [],
}: ReturnType<typeof invoiceRecord.decode>): ReceivedPayment => ({
  amountMsat: msat(receivedMsat),
  at: Number(receivedAt),
  parts: parts.map(({ channelKey, htlcId }) => ({ channelKey: toHex(channelKey), htlcId })),
});
