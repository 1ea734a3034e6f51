import { concat } from '../../primitives/bytes.ts';
import { assert, GlowwormError } from '../../primitives/errors.ts';
import type { Secp256k1 } from '../../primitives/secp256k1.ts';
import { trimFeatures } from '../../wire/features.ts';
import type { TrampolineDialect } from '../hop-instruction.ts';
import { buildOnion, payloadFrameBytes, type Onion, type OnionHop } from '../sphinx.ts';
import { trampolineDialects } from './trampoline-dialect.ts';
import { usableHints, usablePaths, type TrampolinePayee } from './trampoline-payee.ts';
import type { TrampolinePayload } from './trampoline-payload.ts';

/** A trampoline node on the way, and what it is to receive, all parts together. */
export interface TrampolineHop {
  readonly nodeId: Uint8Array;
  readonly amountMsat: bigint;
  readonly cltvExpiry: number;
}

/** A payment through trampoline nodes. */
export interface TrampolineRoute {
  readonly dialect: TrampolineDialect;
  /** First to last; none when a payee with trampoline is paid directly. */
  readonly trampolines: readonly TrampolineHop[];
  readonly payee: TrampolinePayee;
  /** What the payee is to receive. */
  readonly amountMsat: bigint;
  readonly cltvExpiry: number;
}

/**
 * Builds the trampoline onion of a payment, the same for all of its parts. `sessionKey` is 32 fresh random bytes, not those of
 * an outer onion. Of an invoice's ways to a payee without trampoline the last are left out until the rest fits. Throws
 * `RouteTooLong` when it does not fit at all, `NoRoute` when no way could be used, `InvariantBroken` when the dialect cannot
 * pay such a payee, or there is no trampoline node to do so.
 */
export function buildTrampolineOnion(
  secp: Secp256k1,
  route: TrampolineRoute,
  secrets: { readonly sessionKey: Uint8Array; readonly paymentHash: Uint8Array },
): Onion {
  const { sessionKey, paymentHash: associatedData } = secrets;
  const hops = hopsThatFit({ ...route, payee: withUsableWays(secp, route.payee) });
  const payloadsBytes = Math.max(bytesOf(hops), leastBytes(route));
  return buildOnion(secp, { sessionKey, hops, associatedData, payloadsBytes });
}

/**
 * What fits beside the outer payload and two hops more, should the node be no peer or the next one be further away. Phoenix
 * stops there as well.
 */
const MOST_PAYLOADS_BYTES = 1000;

/**
 * What older Phoenix wallets read and no other length. It hides too whether an invoice has metadata, and how many trampoline
 * nodes there are, up to three.
 */
const USUAL_PAYLOADS_BYTES = 400;

/** Electrum reads features of this length and no other. */
const FEATURES_BYTES = 8;

const leastBytes = ({ payee, trampolines }: TrampolineRoute): number =>
  payee.kind === 'trampoline' && trampolines.length > 0 ? USUAL_PAYLOADS_BYTES : 0;

const bytesOf = (hops: readonly OnionHop[]): number =>
  hops.reduce((sum, { payload }) => sum + payloadFrameBytes(payload), 0);

function hopsThatFit(route: TrampolineRoute): readonly OnionHop[] {
  const hops = hopsOf(route);
  const used = bytesOf(hops);
  if (used <= MOST_PAYLOADS_BYTES) return hops;
  const payee = withoutLastWay(route.payee);
  if (payee !== undefined) return hopsThatFit({ ...route, payee });
  const message = `The trampoline route needs ${used} of ${MOST_PAYLOADS_BYTES} bytes of onion.`;
  throw new GlowwormError('RouteTooLong', message, { used });
}

function withUsableWays(secp: Secp256k1, payee: TrampolinePayee): TrampolinePayee {
  if (payee.kind === 'routeHints') return { ...payee, routeHints: usableHints(secp, payee.routeHints) };
  if (payee.kind === 'trampoline') return payee;
  const paths = usablePaths(secp, payee.paths);
  if (paths.length > 0) return { ...payee, paths };
  throw new GlowwormError('NoRoute', 'The recipient names no way that a payment could take. Ask for another invoice.');
}

/** A payee who can be reached without hints is; one behind blinded paths needs one. */
function withoutLastWay(payee: TrampolinePayee): TrampolinePayee | undefined {
  if (payee.kind === 'routeHints' && payee.routeHints.length > 0)
    return { ...payee, routeHints: payee.routeHints.slice(0, -1) };
  if (payee.kind === 'blindedPaths' && payee.paths.length > 1) return { ...payee, paths: payee.paths.slice(0, -1) };
  return undefined;
}

function hopsOf(route: TrampolineRoute): readonly OnionHop[] {
  const { dialect, trampolines, payee } = route;
  const { payees, payload: codec } = trampolineDialects[dialect];
  assert(payees.includes(payee.kind), 'the dialect can pay such a payee');
  assert(
    payee.kind === 'trampoline' || trampolines.length > 0,
    'a payee without trampoline is paid by a trampoline node',
  );
  const relays = trampolines.map(({ nodeId }, index) => {
    const next = trampolines[index + 1];
    return { nodeId, payload: next === undefined ? toPayee(route) : relay(next.nodeId, next) };
  });
  return [...relays, ...behind(route)].map(({ nodeId, payload }) => ({ nodeId, payload: codec.encode(payload) }));
}

/** What the last trampoline node is told. */
function toPayee(route: TrampolineRoute): TrampolinePayload {
  const { payee } = route;
  switch (payee.kind) {
    case 'trampoline':
      return relay(payee.nodeId, route);
    case 'routeHints': {
      const recipientFeatures = ofLength(FEATURES_BYTES, payee.features);
      const secrets = {
        ...final(route, payee),
        ...(payee.paymentMetadata && { paymentMetadata: payee.paymentMetadata }),
      };
      return { ...relay(payee.nodeId, route), ...secrets, recipientFeatures, invoiceRoutingInfo: payee.routeHints };
    }
    case 'blindedPaths':
      return { ...amounts(route), recipientFeatures: trimFeatures(payee.features), recipientBlindedPaths: payee.paths };
  }
  return payee satisfies never;
}

/** What is behind the last trampoline node. */
function behind(
  route: TrampolineRoute,
): readonly { readonly nodeId: Uint8Array; readonly payload: TrampolinePayload }[] {
  const { payee } = route;
  if (payee.kind === 'blindedPaths') return [];
  const { nodeId, paymentMetadata } = payee;
  // Nobody reads this one. Electrum's nodes take an onion that ends with them for a payment to themselves.
  if (payee.kind === 'routeHints') return [{ nodeId, payload: final(route, payee) }];
  return [{ nodeId, payload: { ...final(route, payee), ...(paymentMetadata && { paymentMetadata }) } }];
}

type Arriving = Pick<TrampolineHop, 'amountMsat' | 'cltvExpiry'>;

const amounts = ({ amountMsat, cltvExpiry }: Arriving): TrampolinePayload => ({
  amtToForward: amountMsat,
  outgoingCltvValue: cltvExpiry,
});

const relay = (outgoingNodeId: Uint8Array, arriving: Arriving): TrampolinePayload => ({
  ...amounts(arriving),
  outgoingNodeId,
});

const final = (
  arriving: Arriving,
  { paymentSecret, totalMsat }: Exclude<TrampolinePayee, { readonly kind: 'blindedPaths' }>,
): TrampolinePayload => ({ ...amounts(arriving), paymentData: { paymentSecret, totalMsat } });

/** The lowest bits: all that a trampoline node has to know are among them. */
function ofLength(length: number, features: Uint8Array): Uint8Array {
  const lowest = features.slice(-length);
  return concat(new Uint8Array(length - lowest.length), lowest);
}
