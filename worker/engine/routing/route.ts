import { equalBytes } from '../primitives/bytes.ts';
import { msat, type Msat } from '../primitives/units.ts';

/** A channel of ours through which a payment can leave. */
export interface FirstHop {
  readonly channelKey: string;
  readonly counterpartyNodeId: Uint8Array;
  /** The most that one HTLC can carry now. */
  readonly availableMsat: Msat;
  /** The channel is ready, but its peer is not connected now. */
  readonly isOffline: boolean;
}

/** One step towards a payee that no gossip tells of, as an invoice names it. */
export interface HintHop {
  readonly nodeId: Uint8Array;
  readonly shortChannelId: bigint;
  readonly feeBaseMsat: number;
  readonly feeProportionalMillionths: number;
  readonly cltvExpiryDelta: number;
}

/** A node on the way with the HTLC that it is to receive. */
export interface PathHop {
  readonly nodeId: Uint8Array;
  /** The channel that leads to the node; 0 for the first, which is our own channel. */
  readonly shortChannelId: bigint;
  readonly amountMsat: Msat;
  readonly cltvExpiry: number;
}

/** A way whose amount is still open: a channel of ours, and the steps behind its peer (none where it is the payee). */
export interface Route {
  readonly first: FirstHop;
  readonly steps: readonly HintHop[];
}

/**
 * The ways that begin with a channel: straight to the payee, or along a hint from wherever our peer stands in it. What
 * comes before our peer in a hint is for others.
 */
export function routesFrom(
  first: FirstHop,
  payee: Uint8Array,
  hints: readonly (readonly HintHop[])[],
): readonly Route[] {
  const peer = first.counterpartyNodeId;
  if (equalBytes(peer, payee)) return [{ first, steps: [] }];
  return hints.flatMap((hint) =>
    hint.flatMap(({ nodeId }, index) => (equalBytes(nodeId, peer) ? [{ first, steps: hint.slice(index) }] : [])),
  );
}

/**
 * What has to leave so that an amount arrives (BOLT 7, HTLC Fees). A hint's fees are u32: over several steps the sum exceeds
 * all bitcoin, which is why it is no `Msat`.
 */
export const sentMsat = ({ steps }: Route, deliveredMsat: bigint): bigint =>
  steps.reduceRight((amount, step) => amount + feeMsat(step, amount), deliveredMsat);

/** The most that arrives when the whole channel is used. */
export const mostDeliveredMsat = ({ first, steps }: Route): bigint =>
  steps.reduce<bigint>((amount, step) => mostForwardedMsat(step, amount), first.availableMsat);

/** Blocks that the way adds to what the payee asks for. */
export const cltvDeltaOf = ({ steps }: Route): number => steps.reduce((sum, step) => sum + step.cltvExpiryDelta, 0);

/** Amounts and expiries from the payee back to us. Throws `AmountOutOfRange` for an amount that no channel carries. */
export function hopsOf(
  { steps }: Route,
  payee: Uint8Array,
  delivered: { readonly amountMsat: bigint; readonly cltvExpiry: number },
): readonly PathHop[] {
  const hops: PathHop[] = [];
  let { amountMsat, cltvExpiry } = delivered;
  let nodeId = payee;
  for (const step of steps.toReversed()) {
    hops.unshift({ nodeId, shortChannelId: step.shortChannelId, amountMsat: msat(amountMsat), cltvExpiry });
    amountMsat += feeMsat(step, amountMsat);
    cltvExpiry += step.cltvExpiryDelta;
    nodeId = step.nodeId;
  }
  return [{ nodeId, shortChannelId: 0n, amountMsat: msat(amountMsat), cltvExpiry }, ...hops];
}

const MILLION = 1_000_000n;

const feeMsat = ({ feeBaseMsat, feeProportionalMillionths }: HintHop, amount: bigint): bigint =>
  BigInt(feeBaseMsat) + (amount * BigInt(feeProportionalMillionths)) / MILLION;

/** The largest x for which x + fee(x) ≤ amount: x + ⌊x·p/10⁶⌋ ≤ rest is the same as x·(10⁶ + p) < (rest + 1)·10⁶. */
function mostForwardedMsat({ feeBaseMsat, feeProportionalMillionths }: HintHop, amount: bigint): bigint {
  const rest = amount - BigInt(feeBaseMsat);
  if (rest <= 0n) return 0n;
  return ((rest + 1n) * MILLION - 1n) / (MILLION + BigInt(feeProportionalMillionths));
}
