import { paymentBlindedPath, type PaymentBlindedPath } from '../blinded-path.ts';
import type { HopPayload } from '../payloads.ts';

/** A step towards a payee whom the graph does not know, as an invoice's route hint names it. */
export interface RoutingInfoHop {
  readonly nodeId: Uint8Array;
  readonly shortChannelId: bigint;
  readonly feeBaseMsat: number;
  readonly feeProportionalMillionths: number;
  readonly cltvExpiryDelta: number;
}

/**
 * What a trampoline node is told, or a payee behind one; by the names of BOLT proposal 836 where it has one. Which fields one
 * must have depends on what it is to do: see `readTrampoline`.
 */
export type TrampolinePayload = Omit<
  HopPayload,
  'shortChannelId' | 'trampolineOnionPacket' | 'deployedTrampolineOnion' | 'keysendPreimage'
> & {
  readonly outgoingNodeId?: Uint8Array;
  /** The features of an invoice of somebody without trampoline. */
  readonly recipientFeatures?: Uint8Array;
  readonly invoiceRoutingInfo?: readonly (readonly RoutingInfoHop[])[];
  readonly recipientBlindedPaths?: readonly PaymentBlindedPath[];
};

/** The content of `recipientBlindedPaths`. */
export const blindedPaths: { readonly kind: 'rest'; readonly of: typeof paymentBlindedPath } = {
  kind: 'rest',
  of: paymentBlindedPath,
};

/** The content of `invoiceRoutingInfo`: what is in BOLT 11's field `r`, with the number of hops before each hint. */
export const routingInfo = {
  kind: 'rest',
  of: {
    kind: 'counted',
    countedBy: 'u8',
    of: {
      kind: 'struct',
      fields: {
        nodeId: 'point',
        shortChannelId: 'shortChannelId',
        feeBaseMsat: 'u32',
        feeProportionalMillionths: 'u32',
        cltvExpiryDelta: 'u16',
      },
    },
  },
} as const;
