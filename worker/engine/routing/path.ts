import { greatest, least } from '../primitives/bigints.ts';
import type { Msat } from '../primitives/units.ts';
import {
  cltvDeltaOf,
  hopsOf,
  mostDeliveredMsat,
  routesFrom,
  sentMsat,
  type FirstHop,
  type HintHop,
  type PathHop,
  type Route,
} from './route.ts';

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
  /** Height at which the first HTLC has to have expired. */
  readonly maxCltvExpiry: number;
  /** Hops that an onion has room for. */
  readonly maxHops: number;
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
  /** Somebody does, who is not connected now. */
  | { readonly kind: 'peerOffline' }
  /** The shortest way has more hops than fit into an onion. */
  | { readonly kind: 'tooManyHops'; readonly hops: number }
  /** The shortest lock ends only at this height. */
  | { readonly kind: 'lockedTooLong'; readonly cltvExpiry: number }
  /** There is a way, but not for so much. */
  | { readonly kind: 'insufficientBalance'; readonly availableMsat: bigint }
  | { readonly kind: 'feeTooHigh'; readonly feeMsat: bigint };

/**
 * The cheapest ways for a payment to a payee who is our peer, or whom the invoice's hints connect with a peer. One path
 * where one channel can carry it all at a fee that is allowed; else parts, those first that cost least for what they carry.
 */
export function findPaths(request: PathRequest): PathResult {
  const routes = possibleRoutes(request);
  if ('kind' in routes) return routes;
  const deliveredMsat = request.amountMsat;
  const ways = waysFor(request, routes);
  const way = ways.find((parts) => feeOf(parts) <= request.maxFeeMsat);
  if (way !== undefined) return pathsOf(request, way);
  const fees = ways.length > 0 ? ways.map(feeOf) : routes.map((route) => feeOf([{ route, deliveredMsat }]));
  const feeMsat = fees.reduce(least);
  if (feeMsat > request.maxFeeMsat) return { kind: 'feeTooHigh', feeMsat };
  return { kind: 'insufficientBalance', availableMsat: mostDelivered(request, routes) };
}

/** What a path costs above what arrives. */
export const pathFeeMsat = ({ hops }: Path): bigint => (hops[0]?.amountMsat ?? 0n) - (hops.at(-1)?.amountMsat ?? 0n);

/** An amount on a route. */
interface Part {
  readonly route: Route;
  readonly deliveredMsat: bigint;
}

/** The ways that can be used now, or what stands against all of them: first what waiting would not change. */
function possibleRoutes(request: PathRequest): readonly Route[] | PathResult {
  const { payee, hints, firstHops, excluded, finalCltvExpiry, maxCltvExpiry, maxHops } = request;
  const routes = firstHops
    .flatMap((first) => routesFrom(first, payee, hints))
    .filter(({ steps }) => !steps.some(({ shortChannelId }) => excluded.has(shortChannelId)));
  if (routes.length === 0) return { kind: 'noRoute' };
  const short = routes.filter(({ steps }) => steps.length < maxHops);
  if (short.length === 0)
    return { kind: 'tooManyHops', hops: Math.min(...routes.map(({ steps }) => steps.length + 1)) };
  const timely = short.filter((route) => finalCltvExpiry + cltvDeltaOf(route) <= maxCltvExpiry);
  if (timely.length === 0)
    return { kind: 'lockedTooLong', cltvExpiry: finalCltvExpiry + Math.min(...short.map(cltvDeltaOf)) };
  const usable = timely.filter(({ first }) => !first.isOffline);
  return usable.length === 0 ? { kind: 'peerOffline' } : usable;
}

/** The ways that carry all of the amount, in the order in which they are wanted; there is one if the channels can. */
function waysFor({ amountMsat, multiPart }: PathRequest, routes: readonly Route[]): readonly (readonly Part[])[] {
  const parts = routes.map((route) => fullPart(route, amountMsat));
  const whole = parts.filter(({ deliveredMsat }) => deliveredMsat === amountMsat).toSorted(byCost);
  const splits = multiPart
    ? [split(amountMsat, parts.toSorted(byCost)), split(amountMsat, parts.toSorted(byAmount))]
    : [];
  return [whole.slice(0, 1), ...splits].filter((way) => way.length > 0);
}

/** A part for each channel, whose room is for one HTLC, until nothing is missing; none where something stays missing. */
function split(amountMsat: bigint, candidates: readonly Part[]): readonly Part[] {
  const used = new Set<string>();
  const parts: Part[] = [];
  let missingMsat = amountMsat;
  for (const { route } of candidates) {
    const part = fullPart(route, missingMsat);
    if (part.deliveredMsat === 0n || used.has(route.first.channelKey)) continue;
    used.add(route.first.channelKey);
    parts.push(part);
    missingMsat -= part.deliveredMsat;
  }
  return missingMsat === 0n ? parts : [];
}

function fullPart(route: Route, wantedMsat: bigint): Part {
  return { route, deliveredMsat: least(mostDeliveredMsat(route), wantedMsat) };
}

/** In parts what all channels deliver together, else what one of them does. */
function mostDelivered({ multiPart }: PathRequest, routes: readonly Route[]): bigint {
  const most = new Map<string, bigint>();
  for (const route of routes) {
    const { channelKey } = route.first;
    most.set(channelKey, greatest(most.get(channelKey) ?? 0n, mostDeliveredMsat(route)));
  }
  return [...most.values()].reduce((sum, each) => (multiPart ? sum + each : greatest(sum, each)), 0n);
}

function pathsOf({ payee, finalCltvExpiry }: PathRequest, parts: readonly Part[]): PathResult {
  const paths = parts.map(({ route, deliveredMsat }) => ({
    channelKey: route.first.channelKey,
    hops: hopsOf(route, payee, { amountMsat: deliveredMsat, cltvExpiry: finalCltvExpiry }),
  }));
  return { kind: 'paths', paths };
}

const feeOf = (parts: readonly Part[]): bigint =>
  parts.reduce((sum, { route, deliveredMsat }) => sum + sentMsat(route, deliveredMsat) - deliveredMsat, 0n);

/** Cheapest for each millisatoshi that arrives; what delivers nothing comes last. */
function byCost(a: Part, b: Part): number {
  if (a.deliveredMsat === 0n || b.deliveredMsat === 0n) return byAmount(a, b);
  return compare(feeOf([a]) * b.deliveredMsat, feeOf([b]) * a.deliveredMsat) || byRoom(a, b);
}

const byAmount = (a: Part, b: Part): number => compare(b.deliveredMsat, a.deliveredMsat);

const byRoom = (a: Part, b: Part): number => compare(b.route.first.availableMsat, a.route.first.availableMsat);

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
