import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { decode } from '../wire/codec.ts';
import type { ValueOf } from '../wire/schema.ts';
import { codecOf } from '../wire/schema-codec.ts';
import { encodePayload } from './payloads.ts';
import type { OnionHop } from './sphinx.ts';

/** A blinded path to a payee, and what it costs (BOLT 4, blinded_path; BOLT 12, blinded_payinfo). */
export const paymentBlindedPath = {
  kind: 'struct',
  fields: {
    firstNodeId: 'sciddirOrPubkey',
    firstPathKey: 'point',
    hops: {
      kind: 'counted',
      countedBy: 'u8',
      of: { kind: 'struct', fields: { blindedNodeId: 'point', encryptedRecipientData: 'bytes' } },
    },
    feeBaseMsat: 'u32',
    feeProportionalMillionths: 'u32',
    cltvExpiryDelta: 'u16',
    htlcMinimumMsat: 'u64',
    htlcMaximumMsat: 'u64',
    features: 'bytes',
  },
} as const;

export type PaymentBlindedPath = ValueOf<typeof paymentBlindedPath>;

/** Where a blinded path begins. */
export type IntroductionNode =
  | { readonly kind: 'node'; readonly nodeId: Uint8Array }
  /** Node 1 (`direction` 0) or node 2 of a channel that gossip tells of. */
  | { readonly kind: 'channel'; readonly direction: 0 | 1; readonly shortChannelId: bigint };

export function introductionNode({ firstNodeId }: PaymentBlindedPath): IntroductionNode {
  const [first] = firstNodeId;
  if (first !== 0 && first !== 1) return { kind: 'node', nodeId: firstNodeId };
  return { kind: 'channel', direction: first, shortChannelId: decode(scid, firstNodeId.slice(1)) };
}

/** Whether a path has a hop, and every key of it is a point: nothing of it makes the curve throw then. */
export const isUsablePath = (secp: Secp256k1, path: PaymentBlindedPath): boolean =>
  path.hops.length > 0 &&
  secp.isPoint(path.firstPathKey) &&
  path.hops.every(({ blindedNodeId }) => secp.isPoint(blindedNodeId)) &&
  (path.firstNodeId.length < 33 || secp.isPoint(path.firstNodeId));

/**
 * The end of an onion over a blinded path: its hops (BOLT 4, Route Blinding). The first is encrypted for the node itself,
 * whose id is not in the path when a channel stands for it.
 */
export function blindedPathHops(
  path: PaymentBlindedPath,
  introductionNodeId: Uint8Array,
  final: { readonly amountMsat: bigint; readonly totalMsat: bigint; readonly cltvExpiry: number },
): readonly OnionHop[] {
  return path.hops.map(({ blindedNodeId, encryptedRecipientData }, index) => ({
    nodeId: index === 0 ? introductionNodeId : blindedNodeId,
    payload: encodePayload({
      encryptedRecipientData,
      ...(index === 0 && { currentPathKey: path.firstPathKey }),
      ...(index === path.hops.length - 1 && {
        amtToForward: final.amountMsat,
        outgoingCltvValue: final.cltvExpiry,
        totalAmountMsat: final.totalMsat,
      }),
    }),
  }));
}

const scid = codecOf('shortChannelId');
