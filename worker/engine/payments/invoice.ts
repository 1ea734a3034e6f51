import type { Network } from '../primitives/network.ts';
import type { FeatureName, FeatureSet } from '../wire/features.ts';
import type { TaggedField } from './invoice-words.ts';

/** The chains that an invoice can be for, by the prefix behind `ln`. */
export const invoicePrefixes = { bitcoin: 'bc', testnet: 'tb', signet: 'tbs', regtest: 'bcrt' } as const;

export type InvoiceNetwork = keyof typeof invoicePrefixes;

/** Invoices of both testnets bear the same prefix, and those of all signets. */
export function invoiceNetwork(network: Network): InvoiceNetwork {
  if (network === 'testnet4') return 'testnet';
  return network === 'mutinynet' ? 'signet' : network;
}

/** What is paid for: a text, or the SHA256 of a longer one. */
export type InvoiceDescription =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'hash'; readonly hash: Uint8Array };

/** An on-chain address: a witness version and program, or version 17 (P2PKH) or 18 (P2SH) and a hash. */
export interface FallbackAddress {
  readonly version: number;
  readonly program: Uint8Array;
}

/** A channel that leads to a payee whom the graph does not know. */
export interface RouteHintHop {
  /** 33 bytes: the node at the start of the channel. */
  readonly nodeId: Uint8Array;
  readonly shortChannelId: bigint;
  readonly feeBaseMsat: number;
  readonly feeProportionalMillionths: number;
  readonly cltvExpiryDelta: number;
}

/** What an invoice says (BOLT 11, Tagged Fields). */
export interface InvoiceFields {
  readonly network: InvoiceNetwork;
  /** Absent: the payer chooses. */
  readonly amountMsat?: bigint;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** 32 bytes. */
  readonly paymentHash: Uint8Array;
  /** 32 bytes. */
  readonly paymentSecret: Uint8Array;
  readonly description?: InvoiceDescription;
  /** Seconds from the timestamp. */
  readonly expirySeconds: number;
  readonly minFinalCltvExpiryDelta: number;
  readonly fallbackAddresses: readonly FallbackAddress[];
  readonly routeHints: readonly (readonly RouteHintHop[])[];
  readonly features: FeatureSet;
  readonly paymentMetadata?: Uint8Array;
}

/** A decoded invoice: its fields, whom it is from, and what we did not understand. */
export interface Invoice extends InvoiceFields {
  /** 33 bytes; who signed, whether the invoice names them or not. */
  readonly payeeNodeId: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  /** 0 to 3. */
  readonly recovery: number;
  /** Fields of unknown type, or of a length that they can't have: readers skip them. */
  readonly ignoredFields: readonly TaggedField[];
}

/**
 * As long as a timestamp can say; BOLT 11 has no limit for the expiry. What never expires expires then: together they stay
 * dates that a page can show.
 */
export const MAX_EXPIRY_SECONDS: number = 2 ** 35 - 1;

/** BOLT 11's defaults. */
export const DEFAULT_EXPIRY_SECONDS = 3600;
export const DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA = 18;

/** When an invoice expires, in milliseconds since 1970. */
export const expiresAt = ({ timestamp, expirySeconds }: Pick<InvoiceFields, 'timestamp' | 'expirySeconds'>): number =>
  (timestamp + expirySeconds) * 1000;

/** The features that may be compulsory in an invoice that we pay: those that we do what they say for. */
export const invoiceFeatures: readonly FeatureName[] = [
  'var_onion_optin',
  'payment_secret',
  'basic_mpp',
  'option_payment_metadata',
];
