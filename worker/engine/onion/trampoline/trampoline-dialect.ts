import type { FeatureName, FeatureSet } from '../../wire/features.ts';
import { hasFeature } from '../../wire/features.ts';
import type { KnownFailure } from '../failure-message.ts';
import type { TrampolineDialect } from '../hop-instruction.ts';
import { payloadCodec, payloadRecords, type HopPayload, type PayloadCodec } from '../payloads.ts';
import { blindedPaths, routingInfo, type TrampolinePayload } from './trampoline-payload.ts';
import type { TrampolineFault, TrampolineTerms } from './trampoline-terms.ts';

/** What can be at the end of a trampoline onion; what else is paid, is paid otherwise. */
export type TrampolinePayeeKind = 'trampoline' | 'routeHints' | 'blindedPaths';

interface Dialect {
  /** Whoever has one of them, in `init` or an invoice, understands the dialect. */
  readonly features: readonly FeatureName[];
  /** The record of the outer payload that the trampoline onion is in. */
  readonly packetRecord: keyof HopPayload & ('deployedTrampolineOnion' | 'trampolineOnionPacket');
  readonly payload: PayloadCodec<TrampolinePayload>;
  readonly payees: readonly TrampolinePayeeKind[];
  readonly failures: Readonly<Record<TrampolineFault, (terms: TrampolineTerms) => KnownFailure>>;
  /**
   * Whose layers a failure of a trampoline node has: `outer` reaches whoever built the outer onion, so that every trampoline
   * node repeats what it hears from behind; `both` reaches the sender of the payment through all of them.
   */
  readonly failureLayers: 'outer' | 'both';
}

const { amtToForward, outgoingCltvValue, paymentData, paymentMetadata } = payloadRecords;
const { encryptedRecipientData, currentPathKey, totalAmountMsat } = payloadRecords;
const unblindedRecords = { amtToForward, outgoingCltvValue, paymentData, paymentMetadata } as const;
const blindedRecords = { encryptedRecipientData, currentPathKey, totalAmountMsat } as const;

/** The dialects, side by side: whatever differs between them is here, and whatever is not here is the same. */
export const trampolineDialects: Readonly<Record<TrampolineDialect, Dialect>> = {
  /** eclair, Phoenix, Electrum. */
  deployed: {
    features: ['trampoline_payment_experimental', 'trampoline_electrum'],
    packetRecord: 'deployedTrampolineOnion',
    payload: payloadCodec({
      ...unblindedRecords,
      recipientFeatures: [66097, 'remaining'],
      outgoingNodeId: [66098, 'point'],
      invoiceRoutingInfo: [66099, routingInfo],
      recipientBlindedPaths: [66102, blindedPaths],
    }),
    payees: ['trampoline', 'routeHints', 'blindedPaths'],
    failures: {
      feeInsufficient: () => ({ kind: 'trampoline_fee_insufficient' }),
      expiryTooSoon: () => ({ kind: 'trampoline_expiry_too_soon' }),
      unknownNext: () => ({ kind: 'unknown_next_peer' }),
      temporary: () => ({ kind: 'temporary_node_failure' }),
    },
    failureLayers: 'outer',
  },
  /** BOLT proposal 836: LDK. */
  proposed: {
    features: ['trampoline_routing'],
    packetRecord: 'trampolineOnionPacket',
    payload: payloadCodec({
      ...unblindedRecords,
      ...blindedRecords,
      outgoingNodeId: [14, 'point'],
      recipientFeatures: [21, 'remaining'],
      recipientBlindedPaths: [22, blindedPaths],
    }),
    payees: ['trampoline', 'blindedPaths'],
    failures: {
      feeInsufficient: (terms) => ({ kind: 'trampoline_fee_or_expiry_insufficient', ...terms }),
      expiryTooSoon: (terms) => ({ kind: 'trampoline_fee_or_expiry_insufficient', ...terms }),
      unknownNext: () => ({ kind: 'unknown_next_trampoline' }),
      temporary: () => ({ kind: 'temporary_trampoline_failure' }),
    },
    failureLayers: 'both',
  },
};

/** The dialect that a node or a payee speaks, by its features; of two the one that real nodes speak. */
export const dialectOf = (set: FeatureSet): TrampolineDialect | undefined =>
  (['deployed', 'proposed'] as const).find((dialect) =>
    trampolineDialects[dialect].features.some((name) => hasFeature(set, name)),
  );
