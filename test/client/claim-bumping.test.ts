import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClaimBumping } from '../../worker/client/claim-bumping.ts';
import { feeratePerKw } from '../../worker/engine/primitives/units.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { Scene } from '../onchain/scene.ts';
import { Thief } from '../onchain/thief.ts';
import { RegtestChain } from '../world/chain.ts';

let chain: RegtestChain;

beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterAll(() => chain.stop());

const LOW_PER_KW = 1_000;
const HIGH_PER_KW = 20_000;

/** The peer has put a revoked commitment into the chain, whose outputs it may take soon. */
let scene: Scene;
let conditions: { feerates: { outputSpending: ReturnType<typeof feeratePerKw> }; knowsChannels: boolean };
let bumping: ClaimBumping;
let turns: number;

beforeEach(async () => {
  scene = await Scene.begin(chain, 'anchors');
  await scene.offer({ inboundSat: [60_000n] });
  const revoked = new Thief(scene.them);
  await scene.reconnect();
  await scene.pay(20_000n);
  await scene.disconnect();
  estimate(LOW_PER_KW);
  await scene.submit(revoked.commitment);
  await scene.mine(1);
  conditions = { feerates: { outputSpending: feeratePerKw(LOW_PER_KW) }, knowsChannels: true };
  turns = 0;
  const { node } = scene.us;
  const turn = (work: () => void): void => {
    turns++;
    node.turn(work);
  };
  bumping = new ClaimBumping({ manager: node.manager, chain: conditions, turn });
});

function estimate(perKw: number): void {
  const { node } = scene.us;
  node.turn(() => node.manager.updateFeerates(feeratesOf(1_000, perKw)));
}

/** The servers tell an estimate, and the task has its turn. */
async function bumpAt(perKw: number): Promise<void> {
  estimate(perKw);
  conditions.feerates = { outputSpending: feeratePerKw(perKw) };
  bumping.bump();
  await scene.settle();
}

const highest = (): number => Math.max(...scene.us.monitor.packages.map((each) => each.feeratePerKw));

describe('claims of what the peer may take', () => {
  it('pay more between two blocks when the estimate has risen above them, and no less when it falls', async () => {
    const first = highest();
    const { height } = scene.chain;
    await bumpAt(HIGH_PER_KW);
    const risen = highest();
    expect(risen).toBeGreaterThan(first);
    expect([scene.chain.height, scene.refused]).toEqual([height, []]);
    await bumpAt(LOW_PER_KW);
    expect(highest()).toBe(risen);
  });

  it('are left alone while the estimate is what it was, or a little more', async () => {
    await bumpAt(LOW_PER_KW);
    await bumpAt(Math.floor(LOW_PER_KW * 1.2));
    expect(turns).toBe(0);
  });

  it('are made again once for each rise by a quarter, also where they may pay no more', async () => {
    const beyondAll = 100 * HIGH_PER_KW;
    await bumpAt(beyondAll);
    expect([turns, highest() * 1.25 < beyondAll]).toEqual([1, true]);
    for (const times of [1, 1.1, 1.2]) await bumpAt(beyondAll * times);
    expect(turns).toBe(1);
    await bumpAt(beyondAll * 1.25);
    expect(turns).toBe(2);
    await bumpAt(LOW_PER_KW);
    await bumpAt(beyondAll);
    expect(turns).toBe(3);
  });

  it('follow what has risen since they were made, however high the estimate was before', async () => {
    await bumpAt(HIGH_PER_KW);
    const risen = highest();
    await bumpAt(LOW_PER_KW);
    await bumpAt(2 * HIGH_PER_KW);
    expect(highest()).toBeGreaterThan(risen);
  });

  it('wait while it is not known what has become of channels at the newest block', async () => {
    conditions.knowsChannels = false;
    await bumpAt(HIGH_PER_KW);
    expect(turns).toBe(0);
    conditions.knowsChannels = true;
    bumping.bump();
    expect(turns).toBe(1);
  });
});
