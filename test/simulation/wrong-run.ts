import fc from 'fast-check';
import type { MessageKind } from '../../worker/engine/wire/message.ts';
import { amount, command, openingBetween, perform, sendableMsat, type Command } from './commands.ts';
import { checkClaims, closeAll } from './invariants/exits.ts';
import { throwProblems } from './problems.ts';
import { checkAtRest, letClosesConfirm } from './rest.ts';
import { outboundOf } from './settlement.ts';
import type { Side } from './side.ts';
import { CHAIN_START_NAMES, startOf, type ChainStartName, type CryptoName } from './starts.ts';
import { messageKind, seed, tampering, type Tampering } from './tampering.ts';
import { World } from './world.ts';
import type { SideName } from './world-start.ts';
import { FUNDING_LIES, WrongPeer, type FundingLie } from './wrong-peer.ts';

/** In the middle of three: the first opened a channel to it, and it opened one to the last. */
const VICTIM = 'b';

type WrongSide = Exclude<SideName, typeof VICTIM>;

/** What else may happen where one side is wrong. */
export type WrongCommand =
  | Command
  | { readonly kind: 'tamper'; readonly of: MessageKind | 'any'; readonly how: Tampering }
  | { readonly kind: 'lieAboutFunding'; readonly lie: FundingLie }
  | { readonly kind: 'say'; readonly message: MessageKind; readonly seed: number };

/** One simulation of a victim between a wrong peer and an honest one. */
export interface WrongRun {
  readonly start: ChainStartName;
  readonly crypto: CryptoName;
  readonly wrong: WrongSide;
  readonly commands: readonly WrongCommand[];
}

/** What was performed in this process, shrinking included. */
export const performed = { steps: 0, tampered: 0, closed: 0 };

/**
 * Performs a run, lets the victim close what it has with the wrong peer, and throws with everything that it has lost;
 * `KnownFaultMet` where that is known.
 */
export async function simulateWrong({ start, crypto, wrong, commands }: WrongRun): Promise<World> {
  const peer = new WrongPeer(wrong);
  const world = new World(await startOf(start, crypto), peer);
  await world.settle();
  world.connect();
  for (const [index, each] of commands.entries()) {
    performed.steps++;
    await performWrong(world, peer, each);
    throwProblems(world.problems, `after step ${index} (${each.kind})`);
  }
  peer.stop();
  await leave(world, world.side(wrong), world.side(wrong === 'a' ? 'c' : 'a'));
  return world;
}

async function performWrong(world: World, peer: WrongPeer, command: WrongCommand): Promise<void> {
  if (command.kind === 'tamper') {
    performed.tampered++;
    return peer.prepare(command.of, command.how);
  }
  if (command.kind === 'lieAboutFunding') return peer.lieAboutFunding(command.lie);
  if (command.kind !== 'say') return perform(world, command);
  world.inject(world.side(peer.wrongSide), world.side(VICTIM), peer.say(command.message, command.seed));
  await perform(world, { kind: 'deliver', to: VICTIM, count: 1 });
}

/** The victim leaves the wrong peer with what is its own, and goes on with the honest one. */
async function leave(world: World, wrong: Side, honest: Side): Promise<void> {
  const victim = world.side(VICTIM);
  const pumped = async (): Promise<void> => {
    await world.pump();
    world.check();
    throwProblems(world.problems, 'in the late part');
  };
  // The second time after quiescence, as in `run.ts`.
  for (let time = 0; time < 2; time++) {
    world.connect();
    await pumped();
  }
  world.tick(61_000);
  await pumped();
  world.forced = true;
  const least = closeAll(world, victim, wrong);
  performed.closed += least.size;
  await pumped();
  await letClosesConfirm(world, pumped);
  checkClaims(world, victim, least);
  await payEachOther(world, victim, honest);
  checkAtRest(world);
  throwProblems(world.problems, 'at rest');
}

async function payEachOther(world: World, victim: Side, honest: Side): Promise<void> {
  world.disconnect();
  world.connect();
  await world.pump();
  for (const [from, to] of [
    [honest, victim],
    [victim, honest],
  ] as const) {
    // Who has spent what it had pays nobody.
    if (sendableMsat(from, to) < PAID_AFTERWARDS_MSAT) continue;
    world.pay(from, PAID_AFTERWARDS_MSAT, to);
    await world.pump();
    const { paymentHash } = world.payments.at(-1) ?? { paymentHash: '' };
    if (outboundOf(from, paymentHash)?.state.kind !== 'succeeded')
      world.complain(from.name, `can no longer pay ${to.name}`);
  }
}

/** Little enough for nearly every balance that a run leaves. */
const PAID_AFTERWARDS_MSAT = 2_000_000n;

/** Real curves take most of the time: their runs are shorter. */
const LONGEST = { fake: 100, real: 20 } as const;

/** What a run is mostly about, and what its tampering waits for: each part of BOLT 2 needs commands of its own. */
const TOPICS = {
  operating: { more: {}, of: ['update_add_htlc', 'commitment_signed', 'revoke_and_ack', 'update_fulfill_htlc'] },
  opening: {
    more: { open: 120, mine: 60 },
    of: ['open_channel', 'accept_channel', 'funding_created', 'channel_ready'],
  },
  reestablishing: { more: { disconnect: 60, crash: 40 }, of: ['channel_reestablish', 'revoke_and_ack'] },
  closing: { more: { close: 80, pump: 60 }, of: ['shutdown', 'closing_signed', 'update_fail_htlc'] },
} as const satisfies Record<string, Topic>;

interface Topic {
  /** Added weights. */
  readonly more: { readonly [K in WrongCommand['kind']]?: number };
  readonly of: readonly MessageKind[];
}

/** Commands in which the wrong peer has to do with the victim more often than the honest one. */
function wrongCommand(wrong: WrongSide, { more, of }: Topic): fc.Arbitrary<WrongCommand> {
  const honest: WrongSide = wrong === 'a' ? 'c' : 'a';
  const ends = fc.constantFrom({ side: VICTIM, peer: wrong } as const, { side: wrong, peer: VICTIM } as const);
  const small = fc.bigInt({ min: 1n, max: 1_000_000n }).map((msat) => ({ kind: 'msat', msat }) as const);
  const pay = (from: SideName, to: SideName, most: typeof amount): fc.Arbitrary<WrongCommand> =>
    made('pay', { from: fc.constant(from), to: fc.constant(to), amount: most, times: TIMES });
  const target = fc.oneof(fc.constant('any' as const), fc.constantFrom(...of));
  return fc.oneof(
    { weight: 60, arbitrary: pay(VICTIM, wrong, amount) },
    { weight: 60, arbitrary: pay(wrong, VICTIM, amount) },
    { weight: 15, arbitrary: pay(VICTIM, honest, small) },
    { weight: 15, arbitrary: pay(honest, VICTIM, small) },
    { weight: 200, arbitrary: made('deliver', { to: SIDE, count: TIMES }) },
    { weight: 200, arbitrary: made('complete', { side: SIDE, count: TIMES }) },
    { weight: 80 + (more.pump ?? 0), arbitrary: made('pump', {}) },
    { weight: 80, arbitrary: made('connect', {}) },
    { weight: 10 + (more.disconnect ?? 0), arbitrary: made('disconnect', {}) },
    { weight: 5, arbitrary: made('replaceConnection', { late: fc.constant(VICTIM) }) },
    { weight: 10 + (more.crash ?? 0), arbitrary: made('crash', { side: fc.constant(VICTIM), written: fc.boolean() }) },
    { weight: 10 + (more.mine ?? 0), arbitrary: made('mine', { blocks: fc.constantFrom(1, 3, 6) }) },
    { weight: 5, arbitrary: made('tick', { seconds: fc.constantFrom(1, 61) }) },
    { weight: 5 + (more.close ?? 0), arbitrary: ends.map((each): WrongCommand => ({ kind: 'close', ...each })) },
    { weight: 2, arbitrary: ends.map((each): WrongCommand => ({ kind: 'forceClose', ...each })) },
    { weight: 5 + (more.open ?? 0), arbitrary: openingBetween([wrong, VICTIM], [VICTIM, wrong]) },
    { weight: 5 + (more.open ?? 0) / 3, arbitrary: made('lieAboutFunding', { lie: fc.constantFrom(...FUNDING_LIES) }) },
    {
      weight: 10 + (more.close ?? 0) / 4,
      arbitrary: made('feerate', { side: fc.constant(wrong), ...STRANGE_FEERATES }),
    },
    { weight: 100, arbitrary: made('tamper', { of: target, how: tampering }) },
    { weight: 50, arbitrary: made('say', { message: messageKind, seed }) },
    { weight: 10, arbitrary: command('calm') },
  );
}

/** The wrong peer signs for them, too. */
const STRANGE_FEERATES = {
  commitment: fc.constantFrom(253, 1000, 20_000),
  closing: fc.constantFrom(0, 253, 20_000, 500_000, 5_000_000),
};

const SIDE = fc.constantFrom<SideName>('a', 'b', 'c');
const TIMES = fc.constantFrom(1, 1, 2, 4);

type Parts<K> = Omit<Extract<WrongCommand, { readonly kind: K }>, 'kind'>;

const made = <K extends WrongCommand['kind']>(
  kind: K,
  parts: { readonly [P in keyof Parts<K>]: fc.Arbitrary<Parts<K>[P]> },
): fc.Arbitrary<WrongCommand> => fc.record(parts).map((each) => ({ kind, ...each }) as unknown as WrongCommand);

function runsAbout(topic: Topic, crypto: CryptoName): fc.Arbitrary<WrongRun> {
  return fc.constantFrom<WrongSide>('a', 'c').chain((wrong) =>
    fc.record({
      start: fc.constantFrom(...CHAIN_START_NAMES),
      crypto: fc.constant(crypto),
      wrong: fc.constant(wrong),
      commands: fc.array(wrongCommand(wrong, topic), { minLength: 1, maxLength: LONGEST[crypto], size: 'max' }),
    }),
  );
}

export const wrongRun: fc.Arbitrary<WrongRun> = fc.oneof(
  ...Object.values(TOPICS).flatMap((topic: Topic) => [
    { weight: 40, arbitrary: runsAbout(topic, 'fake') },
    { weight: 1, arbitrary: runsAbout(topic, 'real') },
  ]),
);
