import fc from 'fast-check';
import { closing, command, forceClosing, opening, perform, type Command } from './commands.ts';
import { FAULTS, type Fault } from './faults.ts';
import { throwProblems } from './problems.ts';
import { checkAtRest, letClosesConfirm } from './rest.ts';
import { START_NAMES, startOf, type CryptoName, type StartName } from './starts.ts';
import { World } from './world.ts';

/** One simulation: where it begins and what happens. */
export interface Run {
  readonly start: StartName;
  readonly crypto: CryptoName;
  readonly commands: readonly Command[];
}

/** What was performed in this process, shrinking included. */
export const performed = { steps: 0, runs: 0, paid: 0, failed: 0, quiesced: 0 };

/**
 * Performs a run and its late part. Throws with everything that no honest engine does, and the step at which it came;
 * `KnownFaultMet` where that is known.
 */
export async function simulate({ start, crypto, commands }: Run, faultName?: string): Promise<World> {
  const make = faultName === undefined ? undefined : FAULTS[faultName];
  const fault: Fault | undefined = make === undefined ? undefined : { name: faultName ?? '', ...make() };
  const world = new World(await startOf(start, crypto), fault);
  performed.runs++;
  await world.settle();
  world.connect();
  for (const [index, each] of commands.entries()) {
    performed.steps++;
    await perform(world, each);
    throwProblems(world.problems, `after step ${index} (${each.kind})`);
  }
  await comeToRest(world);
  checkAtRest(world);
  throwProblems(world.problems, 'at rest');
  performed.quiesced += world.quiesced;
  for (const side of world.sides)
    for (const { state } of side.node.manager.outboundPayments.all())
      if (state.kind !== 'pending') performed[state.kind === 'succeeded' ? 'paid' : 'failed']++;
  return world;
}

/** Everybody connects, everything arrives and completes, parts of payments time out, blocks confirm what was broadcast. */
async function comeToRest(world: World): Promise<void> {
  const round = async (stage: string): Promise<void> => {
    await world.pump();
    world.check();
    throwProblems(world.problems, stage);
  };
  world.connect();
  await round('in the late part');
  // Quiescence has ended some connections, and on the next ones what was held goes out.
  world.connect();
  await round('after quiescence');
  world.tick(61_000);
  await round('after the last tick');
  world.disconnect();
  world.connect();
  await round('after the last connection');
  await letClosesConfirm(world, () => round('after the last blocks'));
}

/** Real curves take most of the time: their runs are shorter. */
const LONGEST = { fake: 400, real: 60 } as const;

/** Runs that begin somewhere, with commands of some more kinds; weights are against a thousand others. */
function runs(
  starts: readonly StartName[],
  ...kinds: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<Command> }[]
): fc.Arbitrary<Run> {
  const list = (crypto: CryptoName): fc.Arbitrary<Run> =>
    fc.record({
      start: fc.constantFrom(...starts),
      crypto: fc.constant(crypto),
      commands: fc.constantFrom('calm' as const, 'stormy' as const).chain((weather) =>
        fc.array(fc.oneof({ weight: 1000, arbitrary: command(weather) }, ...kinds), {
          minLength: 1,
          maxLength: LONGEST[crypto],
          size: 'max',
        }),
      ),
    });
  return fc.oneof({ weight: 9, arbitrary: list('fake') }, { weight: 1, arbitrary: list('real') });
}

const FUNDED = START_NAMES.filter((name) => name !== 'empty');

/** Runs of every kind: some open channels, some close them together, some alone. */
export const run: fc.Arbitrary<Run> = fc.oneof(
  { weight: 3, arbitrary: runs(FUNDED) },
  { weight: 2, arbitrary: runs(['empty', 'empty', 'wide'], { weight: 50, arbitrary: opening }) },
  { weight: 2, arbitrary: runs(FUNDED, { weight: 15, arbitrary: closing }) },
  {
    weight: 3,
    arbitrary: runs(FUNDED, { weight: 60, arbitrary: forceClosing }, { weight: 10, arbitrary: closing }),
  },
);
