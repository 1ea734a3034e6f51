import { equalBytes } from '../primitives/bytes.ts';
import { msat, type Msat } from '../primitives/units.ts';

/** A channel of ours through which a payment can leave. */
export interface FirstHop {
  readonly channelKey: string;
  readonly counterpartyNodeId: Uint8Array;
  /** The most that one HTLC can carry now. */
  readonly availableMsat: Msat;
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

/** A way for one HTLC: through a channel of ours to the payee, who is the last hop. */
export interface Path {
  readonly channelKey: string;
  readonly hops: readonly PathHop[];
}

export interface PathRequest {
  readonly payee: Uint8Array;
  readonly hints: readonly (readonly HintHop[])[];
  readonly amountMsat: Msat;
  /** Height at which the last HTLC may expire. */
  readonly finalCltvExpiry: number;
  readonly firstHops: readonly FirstHop[];
  /** Channels that failed in this payment. */
  readonly excluded: ReadonlySet<bigint>;
  /** Whether the payee takes the amount in parts. */
  readonly multiPart: boolean;
  readonly maxFeeMsat: bigint;
}

export type PathResult =
  | { readonly kind: 'paths'; readonly paths: readonly Path[] }
  /** Nobody whom we have a channel with leads to the payee. */
  | { readonly kind: 'noRoute' }
  /** There is a way, but not for so much. */
  | { readonly kind: 'insufficientBalance'; readonly availableMsat: Msat }
  | { readonly kind: 'feeTooHigh'; readonly feeMsat: bigint };

/**
 * The ways for a payment to a payee who is our peer, or whom the invoice's hints connect with a peer. One path where one
 * channel can carry it all; else parts, the largest first.
 */
export function findPaths(request: PathRequest): PathResult {
  const routes = request.firstHops.flatMap((first) => hopsBehind(request, first).map((hints) => ({ first, hints })));
  if (routes.length === 0) return { kind: 'noRoute' };
  const candidates = routes.toSorted((a, b) => compare(b.first.availableMsat, a.first.availableMsat));
  const paths: Path[] = [];
  const used = new Set<string>();
  let missing: bigint = request.amountMsat;
  let available = 0n;
  const single = candidates.find((route) => pathOf(request, route, request.amountMsat).fits);
  if (single !== undefined) return checked(request, [pathOf(request, single, request.amountMsat).path]);
  for (const route of candidates) {
    if (used.has(route.first.channelKey)) continue;
    used.add(route.first.channelKey);
    const most = mostDelivered(request, route);
    available += most;
    const amount = most < missing ? most : missing;
    if (amount <= 0n || !request.multiPart) continue;
    paths.push(pathOf(request, route, msat(amount)).path);
    missing -= amount;
    if (missing === 0n) return checked(request, paths);
  }
  const most = candidates[0] === undefined ? 0n : mostDelivered(request, candidates[0]);
  return { kind: 'insufficientBalance', availableMsat: msat(request.multiPart ? available : most) };
}

/** What a path costs above what arrives. */
export const pathFeeMsat = ({ hops }: Path): bigint => (hops[0]?.amountMsat ?? 0n) - (hops.at(-1)?.amountMsat ?? 0n);

interface Route {
  readonly first: FirstHop;
  readonly hints: readonly HintHop[];
}

function hopsBehind(request: PathRequest, first: FirstHop): readonly (readonly HintHop[])[] {
  if (equalBytes(first.counterpartyNodeId, request.payee)) return [[]];
  return request.hints.filter(
    (hint) =>
      hint[0] !== undefined &&
      equalBytes(hint[0].nodeId, first.counterpartyNodeId) &&
      !hint.some(({ shortChannelId }) => request.excluded.has(shortChannelId)),
  );
}

/** Amounts and expiries from the payee back to us (BOLT 7, HTLC Fees). */
function pathOf(
  request: PathRequest,
  { first, hints }: Route,
  deliveredMsat: bigint,
): { readonly path: Path; readonly fits: boolean } {
  const hops: PathHop[] = [];
  let amount = deliveredMsat;
  let cltvExpiry = request.finalCltvExpiry;
  let nodeId = request.payee;
  for (const hint of hints.toReversed()) {
    hops.unshift({ nodeId, shortChannelId: hint.shortChannelId, amountMsat: msat(amount), cltvExpiry });
    amount += feeMsat(hint, amount);
    cltvExpiry += hint.cltvExpiryDelta;
    nodeId = hint.nodeId;
  }
  hops.unshift({ nodeId, shortChannelId: 0n, amountMsat: msat(amount), cltvExpiry });
  return { path: { channelKey: first.channelKey, hops }, fits: amount <= first.availableMsat };
}

/** The most that arrives when the whole channel is used: fees grow with the amount, so it is searched for. */
function mostDelivered(request: PathRequest, route: Route): bigint {
  let low = 0n;
  let high: bigint = route.first.availableMsat;
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (pathOf(request, route, middle).fits) low = middle;
    else high = middle - 1n;
  }
  return low;
}

function checked(request: PathRequest, paths: readonly Path[]): PathResult {
  const total = paths.reduce((sum, path) => sum + pathFeeMsat(path), 0n);
  return total > request.maxFeeMsat ? { kind: 'feeTooHigh', feeMsat: total } : { kind: 'paths', paths };
}

const feeMsat = (hint: HintHop, amount: bigint): bigint =>
  BigInt(hint.feeBaseMsat) + (amount * BigInt(hint.feeProportionalMillionths)) / 1_000_000n;

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
