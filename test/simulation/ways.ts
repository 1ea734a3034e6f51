import { availableToSendMsat } from '../../worker/engine/channel/channel-limits.ts';
import { isUsable } from '../../worker/engine/manager/channel-entry.ts';
import type { HintHop } from '../../worker/engine/routing/route.ts';
import { FORWARDING } from './node.ts';
import type { Side } from './side.ts';
import type { World } from './world.ts';

/** From whoever pays to whoever is paid, both included. */
type Way = readonly Side[];

/** A payment passes through so many at most. */
const MOST_BETWEEN = 3;

/** Hints of an invoice: more make it longer than people scan, and payments slower. */
const MOST_HINTS = 8;

/** Every way that passes nobody twice, the shortest first. */
export function waysBetween(world: World, from: Side, to: Side): readonly Way[] {
  const longer = (way: Way): readonly Way[] => {
    const last = way.at(-1);
    if (last === to) return [way];
    if (last === undefined || way.length > MOST_BETWEEN + 1) return [];
    const next = world.links.filter((link) => link.has(last)).map((link) => link.other(last));
    return next.filter((side) => !way.includes(side)).flatMap((side) => longer([...way, side]));
  };
  return longer([from]).toSorted((a, b) => a.length - b.length);
}

/** What an invoice has to say so that it can be paid along these ways, over each of the channels between two sides once. */
export function hintsAlong(ways: readonly Way[]): readonly (readonly HintHop[])[] {
  const hints = ways.flatMap((way) => {
    const steps = way.slice(1, -1).map((via, at) => hopsThrough(via, way[at + 2]));
    const most = Math.max(0, ...steps.map(({ length }) => length));
    return Array.from({ length: most }, (_, which) => steps.flatMap((hops) => hops[which % hops.length] ?? [])).filter(
      ({ length }) => length === steps.length,
    );
  });
  return hints.slice(0, MOST_HINTS);
}

/** The channels of a forwarding node with the next one, as an invoice tells of them. */
export const hopsThrough = (via: Side, to: Side | undefined): readonly HintHop[] =>
  via.node.manager.channels().flatMap(({ nodeId, state }) => {
    if (nodeId !== to?.node.nodeId || state.kind !== 'open') return [];
    return [{ nodeId: via.node.keys.nodeId, shortChannelId: state.holderAlias, ...FORWARDING }];
  });

/** What one side can pay to another in all: over the shortest way, where they are no neighbours. */
export function sendableMsat(world: World, from: Side, to: Side): bigint {
  const [way = []] = waysBetween(world, from, to);
  const rooms = way.slice(0, -1).map((side, at) => roomMsat(side, way[at + 1] ?? to));
  return rooms.reduce((least, each) => (each < least ? each : least), rooms[0] ?? 0n);
}

const roomMsat = (from: Side, to: Side): bigint =>
  from.node.manager
    .channels()
    .filter(isUsable)
    .filter(({ nodeId }) => nodeId === to.node.nodeId)
    .reduce((sum, { state }) => sum + availableToSendMsat(state.params, state.commitments), 0n);
