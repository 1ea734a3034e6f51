import fc from 'fast-check';
import { msat, sat } from '../../worker/engine/primitives/units.ts';
import { availableToSendMsat } from '../../worker/engine/channel/channel-limits.ts';
import { isUsable } from '../../worker/engine/manager/channel-entry.ts';
import type { Side } from './side.ts';
import type { World } from './world.ts';
import type { Neighbours, SideName } from './world-start.ts';

/** An amount in millisatoshi, or one near the most that can be sent. */
type Amount =
  | { readonly kind: 'msat'; readonly msat: bigint }
  | { readonly kind: 'share'; readonly sixteenths: number; readonly plusMsat: bigint };

/** What may happen to a world, one step each. */
export type Command =
  | {
      readonly kind: 'pay';
      readonly from: SideName;
      readonly to?: SideName;
      readonly amount: Amount;
      readonly times: number;
    }
  | { readonly kind: 'deliver'; readonly to: SideName; readonly count: number }
  | { readonly kind: 'complete'; readonly side: SideName; readonly count: number }
  | { readonly kind: 'pump' }
  | { readonly kind: 'connect' }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'replaceConnection'; readonly late: SideName }
  | { readonly kind: 'crash'; readonly side: SideName; readonly written: boolean }
  | { readonly kind: 'mine'; readonly blocks: number }
  | { readonly kind: 'feerate'; readonly side: SideName; readonly commitment: number; readonly closing: number }
  | { readonly kind: 'tick'; readonly seconds: number }
  | { readonly kind: 'acknowledge'; readonly side: SideName }
  | { readonly kind: 'quiesce'; readonly side: SideName }
  | {
      readonly kind: 'open';
      readonly from: SideName;
      readonly to: SideName;
      readonly sat: number;
      readonly pushMsat: number;
    }
  | { readonly kind: 'close'; readonly side: SideName; readonly peer?: SideName }
  | { readonly kind: 'forceClose'; readonly side: SideName; readonly peer?: SideName };

/** Runs a command and lets its consequences happen as far as nothing else is needed for them. */
export async function perform(world: World, command: Command): Promise<void> {
  switch (command.kind) {
    case 'pay':
      for (let time = 0; time < command.times; time++) {
        const from = world.side(command.from);
        const to = command.to === undefined ? world.neighbour(from) : world.side(command.to);
        world.pay(from, amountOf(from, to, command.amount), to);
      }
      break;
    case 'deliver':
      for (let at = 0; at < command.count && world.deliver(world.side(command.to)); at++);
      break;
    case 'complete':
      for (let at = 0; at < command.count && world.complete(world.side(command.side)); at++) await world.settle();
      break;
    case 'pump':
      await world.pump();
      break;
    case 'connect':
      world.connect();
      break;
    case 'disconnect':
      world.disconnect();
      break;
    case 'replaceConnection':
      world.replaceConnection(world.side(command.late));
      break;
    case 'crash':
      world.crash(world.side(command.side), command.written);
      break;
    case 'mine':
      world.mine(command.blocks);
      break;
    case 'feerate':
      world.setFeerate(world.side(command.side), command.commitment, command.closing);
      break;
    case 'tick':
      world.tick(command.seconds * 1000);
      break;
    case 'acknowledge':
      world.side(command.side).node.acknowledgeAll();
      break;
    case 'quiesce':
      quiesceAll(world, world.side(command.side));
      break;
    case 'open': {
      world.opened = true;
      const [from, to] = [world.side(command.from), world.side(command.to)];
      const pushMsat = command.pushMsat < command.sat * 500 ? command.pushMsat : command.sat * 500;
      world.attempt(from, () => void from.node.open(to.node, sat(BigInt(command.sat)), msat(BigInt(pushMsat))));
      break;
    }
    case 'close':
      closeOne(world, command);
      break;
    case 'forceClose':
      closeOne(world, command);
      break;
    default:
      command satisfies never;
  }
  await world.settle();
  world.check();
}

function quiesceAll(world: World, side: Side): void {
  const { node } = side;
  world.attempt(side, () => node.turn(() => node.manager.channels().forEach(({ key }) => node.manager.quiesce(key))));
}

function closeOne(world: World, { kind, side: name, peer }: Extract<Command, { kind: 'close' | 'forceClose' }>): void {
  const side = world.side(name);
  const peerId = peer === undefined ? undefined : world.side(peer).node.nodeId;
  const { manager } = side.node;
  const entry = manager
    .channels()
    .find(({ state, nodeId }) => state.kind === 'open' && (peerId === undefined || nodeId === peerId));
  if (entry === undefined) return;
  if (kind === 'forceClose') world.forced = true;
  world.attempt(side, () =>
    side.node.turn(() =>
      kind === 'forceClose'
        ? manager.forceCloseChannel(entry.key, { unconfirmedState: true })
        : manager.closeChannel(entry.key),
    ),
  );
}

/** What one side can pay to another in all. */
export const sendableMsat = (from: Side, to: Side): bigint =>
  from.node.manager
    .channels()
    .filter(isUsable)
    .filter(({ nodeId }) => nodeId === to.node.nodeId)
    .reduce((sum, { state }) => sum + availableToSendMsat(state.params, state.commitments), 0n);

/** At least 1 msat. */
function amountOf(from: Side, to: Side, amount: Amount): bigint {
  if (amount.kind === 'msat') return amount.msat;
  const share = (sendableMsat(from, to) * BigInt(amount.sixteenths)) / 16n + amount.plusMsat;
  return share > 0n ? share : 1n;
}

const side: fc.Arbitrary<SideName> = fc.constantFrom('a', 'b');

/** Where HTLCs become outputs: the dust limit, and with it the fee of their own transactions without anchors. */
const EDGES = [1n, 999n, 1000n, 353_999n, 354_000n, 354_001n, 1_016_999n, 1_017_000n, 1_056_999n, 1_057_000n];

export const amount: fc.Arbitrary<Amount> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...EDGES).map((edge) => ({ kind: 'msat', msat: edge }) as const) },
  { weight: 4, arbitrary: fc.bigInt({ min: 1n, max: 20_000_000n }).map((n) => ({ kind: 'msat', msat: n }) as const) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('share' as const),
      sixteenths: fc.integer({ min: 1, max: 16 }),
      plusMsat: fc.constantFrom(0n, 0n, -1n, 1n, 1000n),
    }),
  },
);

const FEERATES = [253, 300, 500, 1000, 1500, 2500, 5000, 12_000, 40_000];

/** How often what disturbs a payment happens, among about a hundred commands. */
type Weather = 'calm' | 'stormy';

const DISTURBANCE = { calm: 0.3, stormy: 3 } as const;

/** The commands of a run in which nobody closes. */
export const command = (weather: Weather): fc.Arbitrary<Command> =>
  fc.oneof(...withoutQuiescence(weather), {
    weight: 20,
    arbitrary: fc.record({ kind: fc.constant('quiesce' as const), side }),
  });

/** As `command`, for storms, which have enough that holds up and disconnects. */
export const commandInStorm = (weather: Weather): fc.Arbitrary<Command> => fc.oneof(...withoutQuiescence(weather));

function withoutQuiescence(weather: Weather): fc.WeightedArbitrary<Command>[] {
  const disturbance = DISTURBANCE[weather] * 10;
  const count = fc.constantFrom(1, 1, 2, 4);
  const kind = <K extends Command['kind']>(name: K): fc.Arbitrary<K> => fc.constant(name);
  const payment = fc.record({ kind: kind('pay'), from: side, amount, times: fc.constantFrom(1, 1, 1, 1, 2, 3, 7) });
  const feerate = fc.record({
    kind: kind('feerate'),
    side,
    commitment: fc.constantFrom(...FEERATES),
    closing: fc.constantFrom(...FEERATES),
  });
  return [
    { weight: 120, arbitrary: payment },
    { weight: 350, arbitrary: fc.record({ kind: kind('deliver'), to: side, count }) },
    { weight: 350, arbitrary: fc.record({ kind: kind('complete'), side, count }) },
    { weight: 20, arbitrary: fc.record({ kind: kind('pump') }) },
    { weight: 100, arbitrary: fc.record({ kind: kind('connect') }) },
    { weight: disturbance, arbitrary: fc.record({ kind: kind('disconnect') }) },
    { weight: disturbance / 3, arbitrary: fc.record({ kind: kind('replaceConnection'), late: side }) },
    { weight: disturbance, arbitrary: fc.record({ kind: kind('crash'), side, written: fc.boolean() }) },
    { weight: 15, arbitrary: fc.record({ kind: kind('mine'), blocks: fc.constantFrom(1, 1, 3) }) },
    { weight: 20, arbitrary: feerate },
    { weight: 10, arbitrary: fc.record({ kind: kind('tick'), seconds: fc.constantFrom(1, 20, 61) }) },
    { weight: 10, arbitrary: fc.record({ kind: kind('acknowledge'), side }) },
  ];
}

/** An attempt to open one more channel. */
export const openingBetween = (...pairs: readonly Neighbours[]): fc.Arbitrary<Command> =>
  fc
    .record({
      pair: fc.constantFrom(...pairs),
      sat: fc.constantFrom(20_000, 50_000, 1_000_000, 9_000_000),
      pushMsat: fc.constantFrom(0, 1, 3_000_000, 400_000_000),
    })
    .map(({ pair: [from, to], ...terms }) => ({ kind: 'open', from, to, ...terms }));

export const opening: fc.Arbitrary<Command> = openingBetween(['a', 'b'], ['b', 'a']);

export const closing: fc.Arbitrary<Command> = fc.record({ kind: fc.constant('close' as const), side });

export const forceClosing: fc.Arbitrary<Command> = fc.record({ kind: fc.constant('forceClose' as const), side });
