import fc from 'fast-check';
import type { TellingStyle } from './chain-source.ts';
import type { SecondStage } from './cheat.ts';
import { closing, commandInStorm, forceClosing, opening, perform, type Command } from './commands.ts';
import type { Fault } from './faults.ts';
import { throwProblems } from './problems.ts';
import { randomOf } from './random.ts';
import { checkAtRest } from './rest.ts';
import { START_NAMES, startOf, type CryptoName, type StartName } from './starts.ts';
import { World } from './world.ts';
import type { SideName } from './world-start.ts';

/** What else may happen where the chain is no calm place, and a peer may cheat. */
export type StormCommand =
  | Command
  | {
      readonly kind: 'reorganise';
      readonly depth: number;
      /** How many of sixteen transactions are in no mempool afterwards. */
      readonly lost: number;
      readonly seed: number;
      /** `apart`: the sides live for a while in a chain that is shorter. */
      readonly style: 'apart' | 'together';
    }
  | { readonly kind: 'fallBehind'; readonly side: SideName }
  | { readonly kind: 'catchUp'; readonly side: SideName; readonly blocks: number; readonly style: TellingStyle }
  | { readonly kind: 'feeShock'; readonly feerate: number }
  | { readonly kind: 'drop'; readonly lost: number; readonly seed: number }
  | { readonly kind: 'wait'; readonly blocks: number }
  | {
      readonly kind: 'cheat';
      readonly side: SideName;
      readonly channel: number;
      /** Which of all that it has had: sixteenths of the way from the first to the newest. */
      readonly state: number;
      readonly secondStage: SecondStage;
    };

/** One simulation of two sides on a chain that is not calm. */
export interface StormRun {
  readonly start: StartName;
  readonly crypto: CryptoName;
  readonly commands: readonly StormCommand[];
}

/** What was performed in this process, shrinking included. */
export const performed = { steps: 0, punished: 0, takenFirst: 0, closed: 0, reorganised: 0 };

/** Performs a run, lets everything come to its end, and throws with all that no honest engine does. */
export async function simulateStorm({ start, crypto, commands }: StormRun, fault?: Fault): Promise<World> {
  const world = new World(await startOf(start, crypto), fault);
  // Deadlines close channels here.
  world.forced = true;
  await world.settle();
  world.connect();
  for (const [index, each] of commands.entries()) {
    performed.steps++;
    await performStorm(world, each);
    throwProblems(world.problems, `after step ${index} (${each.kind})`);
  }
  await comeToRest(world);
  checkAtRest(world);
  throwProblems(world.problems, 'at rest');
  performed.punished += world.punished;
  performed.takenFirst += world.takenFirst;
  performed.closed += world.honest.reduce(
    (sum, { node }) => sum + node.manager.channels().filter(({ state }) => state.kind === 'closed').length,
    0,
  );
  return world;
}

async function performStorm(world: World, each: StormCommand): Promise<void> {
  switch (each.kind) {
    case 'reorganise':
      await reorganise(world, each);
      break;
    case 'fallBehind':
      world.side(each.side).source.isLate = true;
      break;
    case 'catchUp': {
      const side = world.side(each.side);
      world.tell(side, Math.min(each.blocks, side.source.behind), each.style);
      side.source.isLate = side.source.behind > 0;
      break;
    }
    case 'feeShock':
      for (const side of world.sides) world.setFeerate(side, Math.min(each.feerate, MOST_AGREED_FEERATE), each.feerate);
      break;
    case 'drop':
      world.dropFromMempool(chance(each));
      break;
    case 'wait':
      await wait(world, each.blocks);
      break;
    case 'cheat':
      cheat(world, each);
      break;
    default:
      return perform(world, each);
  }
  await world.settle();
  world.check();
}

async function reorganise(
  world: World,
  { depth, style, ...lost }: Extract<StormCommand, { kind: 'reorganise' }>,
): Promise<void> {
  performed.reorganised++;
  world.disconnectBlocks(depth, chance(lost));
  if (style === 'apart')
    for (const side of world.sides) if (!side.source.isLate) world.tell(side, side.source.behind, 'together');
  if (style === 'apart') await world.write();
  // Longer than what it takes the place of.
  await wait(world, depth + 1);
}

/** Blocks, and between them everything is written. */
async function wait(world: World, blocks: number): Promise<void> {
  for (let block = 0; block < blocks; block++) {
    world.mine();
    await world.write();
  }
}

function cheat(world: World, { side, channel, state, secondStage }: Extract<StormCommand, { kind: 'cheat' }>): void {
  const cheater = world.side(side);
  if (world.honest.length < world.sides.length && !world.isWrong(cheater)) return;
  const channels = [...cheater.view.monitors.keys()];
  const key = channels[channel % Math.max(1, channels.length)];
  if (key !== undefined) world.cheat(cheater, key, state / 16, secondStage);
}

const chance = ({ lost, seed }: { readonly lost: number; readonly seed: number }): (() => boolean) => {
  const random = randomOf(seed);
  return () => random(16) < lost;
};

/** Everybody hears everything and writes, and closes have all the blocks that they need. */
async function comeToRest(world: World): Promise<void> {
  const pumped = async (stage: string): Promise<void> => {
    await world.pump();
    world.check();
    throwProblems(world.problems, stage);
  };
  for (const side of world.sides) {
    side.source.isLate = false;
    world.tell(side, side.source.behind, 'together');
  }
  world.connect();
  await pumped('in the late part');
  // As in `run.ts`.
  world.connect();
  await pumped('after quiescence');
  world.tick(61_000);
  await pumped('after the last tick');
  world.disconnect();
  world.connect();
  await pumped('after the last connection');
  for (const side of world.sides) world.setFeerate(side, LOWEST_FEERATE, LOWEST_FEERATE);
  await pumped('after the last estimates');
  const isClosed = (): boolean =>
    world.sides.some(({ node }) => node.manager.channels().some(({ state }) => state.kind === 'closed'));
  for (let round = 0; round < (isClosed() ? LAST_ROUNDS : LEAST_ROUNDS); round++) {
    if (round > 2) world.skip(BLOCKS_PER_ROUND - 1);
    world.mine();
    await pumped('in the last blocks');
  }
  // A lower feerate is signed with what comes next.
  for (let time = 0; time < 2; time++) {
    for (const side of world.sides) world.setFeerate(side, USUAL_FEERATE, USUAL_FEERATE);
    await pumped('after the usual estimates');
  }
}

const LOWEST_FEERATE = 253;
const USUAL_FEERATE = 1000;
/** Fewer than those for which a side may sleep. */
const BLOCKS_PER_ROUND = 10;
/** An HTLC expires, its transaction's delay passes, and some more. */
const LAST_ROUNDS = 40;
/** A funding that a reorganisation took away is confirmed again. */
const LEAST_ROUNDS = 4;

const side: fc.Arbitrary<SideName> = fc.constantFrom('a', 'b');
const seed = fc.nat({ max: 0xffff });
const lost = fc.constantFrom(0, 0, 4, 8, 16);

/** What a peer of the simulation takes in `update_fee` at the most is not much more. */
const MOST_AGREED_FEERATE = 40_000;
/** Up to 500 sat/vB. */
const SHOCKS = [253, 253, 1000, 2500, 12_000, 40_000, 125_000];

type Parts<K> = Omit<Extract<StormCommand, { readonly kind: K }>, 'kind'>;

const made = <K extends StormCommand['kind']>(
  kind: K,
  parts: { readonly [P in keyof Parts<K>]: fc.Arbitrary<Parts<K>[P]> },
): fc.Arbitrary<StormCommand> => fc.record(parts).map((each) => ({ kind, ...each }) as unknown as StormCommand);

/** Weights are against a thousand of the usual commands. */
const storm = (weather: 'calm' | 'stormy'): fc.Arbitrary<StormCommand> =>
  fc.oneof(
    { weight: 1000, arbitrary: commandInStorm(weather) },
    {
      weight: 40,
      arbitrary: made('reorganise', {
        depth: fc.constantFrom(1, 1, 2, 3, 5, 6, 8),
        lost,
        seed,
        style: fc.constantFrom('apart', 'together'),
      }),
    },
    { weight: 20, arbitrary: made('fallBehind', { side }) },
    {
      weight: 40,
      arbitrary: made('catchUp', {
        side,
        blocks: fc.constantFrom(1, 3, 20),
        style: fc.constantFrom('apart', 'together', 'twice'),
      }),
    },
    { weight: 25, arbitrary: made('feeShock', { feerate: fc.constantFrom(...SHOCKS) }) },
    { weight: 30, arbitrary: made('drop', { lost, seed }) },
    { weight: 60, arbitrary: made('wait', { blocks: fc.constantFrom(1, 3, 8, 40, 120) }) },
    { weight: 15, arbitrary: forceClosing },
    { weight: 5, arbitrary: closing },
    { weight: 10, arbitrary: opening },
  );

const cheating: fc.Arbitrary<StormCommand> = made('cheat', {
  side,
  channel: fc.nat({ max: 3 }),
  state: fc.nat({ max: 16 }),
  secondStage: fc.constantFrom('never', 'together', 'apart'),
});

/** Much is revoked before anybody cheats. */
const SWIFT = { weight: 150, arbitrary: fc.constant<StormCommand>({ kind: 'pump' }) };

/** Real curves take most of the time: their runs are shorter. */
const LONGEST = { fake: 150, real: 40 } as const;

function runs(
  crypto: CryptoName,
  ...more: readonly { weight: number; arbitrary: typeof cheating }[]
): fc.Arbitrary<StormRun> {
  return fc.record({
    start: fc.constantFrom(...START_NAMES),
    crypto: fc.constant(crypto),
    commands: fc.constantFrom('calm' as const, 'stormy' as const).chain((weather) =>
      fc.array(fc.oneof({ weight: 1245, arbitrary: storm(weather) }, ...more), {
        minLength: 1,
        maxLength: LONGEST[crypto],
        size: 'max',
      }),
    ),
  });
}

export const stormRun: fc.Arbitrary<StormRun> = fc.oneof(
  { weight: 12, arbitrary: runs('fake') },
  { weight: 12, arbitrary: runs('fake', { weight: 30, arbitrary: cheating }, SWIFT) },
  { weight: 1, arbitrary: runs('real', { weight: 60, arbitrary: cheating }, SWIFT) },
);
