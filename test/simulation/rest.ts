import { checkAgreement } from './invariants/agreement.ts';
import { checkArchives } from './invariants/archives.ts';
import { checkBalances } from './invariants/balances.ts';
import { checkCloses } from './invariants/closes.ts';
import { checkCoins } from './invariants/coins.ts';
import { checkDurability } from './invariants/durability.ts';
import { checkEntitlements } from './invariants/entitlements.ts';
import { checkPayments } from './invariants/payments.ts';
import { checkPunishments } from './invariants/punishments.ts';
import type { World } from './world.ts';

/** Blocks after which every delayed output of a close may move, and every HTLC has expired. */
const LONGEST_DELAY_BLOCKS = 150;

/** What holds after everything was delivered, completed and confirmed. */
export function checkAtRest(world: World): void {
  checkDurability(world);
  checkAgreement(world);
  checkPayments(world);
  checkCloses(world);
  checkPunishments(world);
  checkArchives(world);
  checkEntitlements(world);
  checkCoins(world);
  checkBalances(world);
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
    for (let stage = 0; stage < 2; stage++) {
      await after(() => world.skip(LONGEST_DELAY_BLOCKS));
      await after(() => world.mine());
      await after(() => world.mine());
    }
  }
  await estimate(USUAL_FEERATE);
  await estimate(USUAL_FEERATE);
}

/** More than any funding has to wait for. */
const DEPTH_BLOCKS = 6;
const LOWEST_FEERATE = 253;
const USUAL_FEERATE = 1000;
