import fc from 'fast-check';
import { closing, command, forceClosing, openingBetween, perform, type Command } from './commands.ts';
import { FAULTS, type Fault } from './faults.ts';
import type { MonitorTelling } from './monitor-telling.ts';
import { throwProblems } from './problems.ts';
import { NETWORK_START_NAMES, PAIR_START_NAMES, neighboursIn, recipeOf, sidesIn, type StartName } from './recipes.ts';
import { checkAtRest, comeToRest } from './rest.ts';
import { startOf, type CryptoName } from './starts.ts';
import { World } from './world.ts';

/** One simulation: where it begins and what happens. */
export interface Run {
  readonly start: StartName;
  readonly crypto: CryptoName;
  readonly monitorEvents?: MonitorTelling;
  readonly commands: readonly Command[];
}

/** What was performed in this process, shrinking included. */
export const performed = { steps: 0, runs: 0, paid: 0, failed: 0, passedOn: 0, quiesced: 0 };

/** Performs a run and its late part. Throws with everything that no honest engine does, and the step at which it came. */
export async function simulate({ start, crypto, monitorEvents, commands }: Run, faultName?: string): Promise<World> {
  const make = faultName === undefined ? undefined : FAULTS[faultName];
  const fault: Fault | undefined = make === undefined ? undefined : { name: faultName ?? '', ...make() };
  const world = new World(await startOf(start, crypto), fault, monitorEvents);
  performed.runs++;
  await world.settle();
  world.connect();
  for (const [index, each] of commands.entries()) {
    performed.steps++;
    await perform(world, each);
    throwProblems(world.problems, `after step ${index} (${each.kind})`);
  }
  await comeToRest(world);
  await checkAtRest(world);
  throwProblems(world.problems, 'at rest');
  count(world);
  return world;
}

function count(world: World): void {
  performed.quiesced += world.quiesced;
  for (const side of world.sides)
    for (const { state } of side.node.manager.outboundPayments.all())
      if (state.kind !== 'pending') performed[state.kind === 'succeeded' ? 'paid' : 'failed']++;
  performed.passedOn += world.htlcs
    .all()
    .filter((htlc) => htlc.previous !== undefined && world.htlcs.isTaken(htlc)).length;
}

/** Real curves take most of the time: their runs are shorter. */
const LONGEST = { fake: 400, real: 60 } as const;

/** What happens in a run besides the usual; weights are against a thousand others. */
interface Customs {
  readonly open?: number;
  readonly close?: number;
  readonly forceClose?: number;
}

/** Runs that begin somewhere, with commands of some more kinds. */
function runs(starts: readonly StartName[], customs: Customs = {}): fc.Arbitrary<Run> {
  const list = (crypto: CryptoName): fc.Arbitrary<Run> =>
    fc.constantFrom(...starts).chain((start) =>
      fc.record({
        start: fc.constant(start),
        crypto: fc.constant(crypto),
        monitorEvents: fc.constantFrom('once' as const, 'twice' as const),
        commands: fc
          .constantFrom('calm' as const, 'stormy' as const)
          .chain((weather) =>
            fc.array(commandIn(start, weather, customs), { minLength: 1, maxLength: LONGEST[crypto], size: 'max' }),
          ),
      }),
    );
  return fc.oneof({ weight: 9, arbitrary: list('fake') }, { weight: 1, arbitrary: list('real') });
}

function commandIn(start: StartName, weather: 'calm' | 'stormy', customs: Customs): fc.Arbitrary<Command> {
  const recipe = recipeOf(start);
  const sides = sidesIn(recipe);
  const pairs = neighboursIn(recipe).flatMap(([one, other]) => [[one, other] as const, [other, one] as const]);
  return fc.oneof(
    { weight: 1000, arbitrary: command(weather, sides) },
    { weight: customs.open ?? 0, arbitrary: openingBetween(...pairs) },
    { weight: customs.close ?? 0, arbitrary: closing(...sides) },
    { weight: customs.forceClose ?? 0, arbitrary: forceClosing(...sides) },
  );
}

const FUNDED = PAIR_START_NAMES.filter((name) => name !== 'empty');

/** Runs of every kind: some open channels, some close them together, some alone; of two sides, and of more. */
export const run: fc.Arbitrary<Run> = fc.oneof(
  { weight: 3, arbitrary: runs(FUNDED) },
  { weight: 2, arbitrary: runs(['empty', 'empty', 'wide'], { open: 50 }) },
  { weight: 2, arbitrary: runs(FUNDED, { close: 15 }) },
  { weight: 3, arbitrary: runs(FUNDED, { forceClose: 60, close: 10 }) },
  { weight: 6, arbitrary: runs(NETWORK_START_NAMES) },
  { weight: 2, arbitrary: runs(NETWORK_START_NAMES, { open: 10, close: 8 }) },
  { weight: 4, arbitrary: runs(NETWORK_START_NAMES, { forceClose: 20, close: 4 }) },
);
