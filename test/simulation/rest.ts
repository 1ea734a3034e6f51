import { allHtlcs } from '../../worker/engine/channel/commitments.ts';
import { isOpen } from '../../worker/engine/manager/channel-entry.ts';
import { knownSpecs } from '../../worker/engine/monitor/channel-monitor.ts';
import { checkAgreement } from './invariants/agreement.ts';
import { checkArchives } from './invariants/archives.ts';
import { checkBalances } from './invariants/balances.ts';
import { checkCloses } from './invariants/closes.ts';
import { checkCoins } from './invariants/coins.ts';
import { checkConservation } from './invariants/conservation.ts';
import { checkDurability } from './invariants/durability.ts';
import { checkEntitlements } from './invariants/entitlements.ts';
import { checkMonitorEvents } from './invariants/events.ts';
import { checkForwards } from './invariants/forwards.ts';
import { checkOutcomes } from './invariants/outcomes.ts';
import { checkLiveness } from './invariants/liveness.ts';
import { checkPayments } from './invariants/payments.ts';
import { checkPunishments } from './invariants/punishments.ts';
import { checkRestarts } from './invariants/restarts.ts';
import { throwProblems } from './problems.ts';
import type { World } from './world.ts';

/** Blocks after which every delayed output of a close may move. */
const LONGEST_DELAY_BLOCKS = 150;

/** Everybody connects, everything arrives and completes, parts of payments time out, blocks confirm what was broadcast. */
export async function comeToRest(world: World): Promise<void> {
  const round = async (stage: string): Promise<void> => {
    await world.pump();
    world.check();
    throwProblems(world.problems, stage);
  };
  for (const side of world.sides) side.decide('take');
  world.connect();
  await round('in the late part');
  // Quiescence has ended some connections, and on the next ones what was held goes out.
  world.connect();
  await round('after quiescence');
  // What is passed on waits for one tick at every side.
  for (const milliseconds of [1_000, 1_000, 1_000, 61_000, 1_000]) {
    world.tick(milliseconds);
    await round('after the last ticks');
  }
  world.disconnect();
  world.connect();
  await round('after the last connection');
  await letClosesConfirm(world, () => round('after the last blocks'));
  await checkLiveness(world, () => round('after the last payments'));
}

/** What holds after everything was delivered, completed and confirmed. */
export async function checkAtRest(world: World): Promise<void> {
  checkDurability(world);
  checkAgreement(world);
  checkPayments(world);
  checkOutcomes(world);
  checkForwards(world);
  checkMonitorEvents(world);
  checkCloses(world);
  checkPunishments(world);
  checkArchives(world);
  checkEntitlements(world);
  checkConservation(world);
  checkCoins(world);
  checkBalances(world);
  for (const side of world.honest) await checkRestarts(world, side);
}

/**
 * What was closed confirms, at a feerate at which everything is worth its fee, and delays pass. A lower feerate is signed
 * with what comes next, which is the next estimates where nothing else is.
 */
export async function letClosesConfirm(world: World, pumped: () => Promise<void>): Promise<void> {
  const after = async (passing: () => void): Promise<void> => {
    passing();
    await pumped();
  };
  const estimate = (feeratePerKw: number): Promise<void> =>
    after(() => {
      for (const side of world.sides) world.setFeerate(side, feeratePerKw, feeratePerKw);
    });
  await after(() => world.mine(2));
  await after(() => world.skip(DEPTH_BLOCKS));
  if (world.sides.some(({ node }) => node.manager.channels().some(({ state }) => state.kind === 'closed'))) {
    await estimate(LOWEST_FEERATE);
    // What a side does in one block it broadcasts for the next one: its commitment, a child or a sweep.
    await after(() => world.mine());
    // First our balance and the HTLCs that have expired, then what HTLC transactions made.
    const end = lastExpiry(world) + 2 * LONGEST_DELAY_BLOCKS;
    while (world.chain.height < end) {
      await after(() => world.skip(isUnderWay(world) ? FEW_BLOCKS : LONGEST_DELAY_BLOCKS));
      await after(() => world.mine());
      await after(() => world.mine());
    }
  }
  await estimate(USUAL_FEERATE);
  await estimate(USUAL_FEERATE);
}

/** The height from which on no HTLC is left that waits for its expiry. */
function lastExpiry({ chain, sides }: World): number {
  const monitors = sides.flatMap(({ view }) => [...view.monitors.values()]).filter(({ closed }) => closed !== 'no');
  const htlcs = monitors.flatMap((monitor) => knownSpecs(monitor).flatMap((spec) => spec.htlcs));
  return Math.max(chain.height, ...htlcs.map(({ cltvExpiry }) => cltvExpiry));
}

/** Whether an open channel has an HTLC, which waits for what the chain decides about another one, and must not wait too long. */
const isUnderWay = ({ sides }: World): boolean =>
  sides.some(({ node }) =>
    node.manager
      .channels()
      .filter(isOpen)
      .some(({ state }) => allHtlcs(state.commitments).size > 0),
  );

/** Fewer than those that a node in the middle has between its two edges. */
const FEW_BLOCKS = 10;
/** More than any funding has to wait for. */
const DEPTH_BLOCKS = 6;
const LOWEST_FEERATE = 253;
const USUAL_FEERATE = 1000;
