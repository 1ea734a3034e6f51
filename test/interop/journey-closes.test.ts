import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { esploraOfRun } from '../world/esplora-flavours.ts';
import { World } from '../world/world.ts';
import { Scenario } from './scenario.ts';
import { NodeWallet } from './wallet-in-node.ts';

let world: World;
let wallet: NodeWallet;
let scenario: Scenario;

beforeAll(async () => {
  world = await World.start({ esplora: esploraOfRun(), withoutBob: true });
  wallet = await NodeWallet.openIn(world);
  scenario = new Scenario(world, wallet);
  await scenario.start();
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

/** Fees of commitment, anchor child and sweep together are below this. */
const MOST_FEES_SAT = 10_000n;
const TO_SELF_DELAY = 144;

const closed = (channelId: string): Promise<unknown> =>
  scenario.until('closed', () => scenario.channelOf(channelId).state === 'closed');

const spenderOf = (txid: string): unknown => world.chain.spend(txid, 0) ?? world.chain.spend(txid, 1);

/** After a payment, so that the commitments differ from the first ones. */
async function balanceOf(channelId: string): Promise<bigint> {
  await scenario.payTo(world.alice, 12_345_678n);
  return scenario.balanced(channelId);
}

describe('a channel that the wallet closes alone', () => {
  let channelId: string;
  let balanceSat: bigint;
  let onchainSat: bigint;

  it('has its commitment confirmed', async () => {
    channelId = await scenario.openChannel(2_000_000n, 500_000_000n);
    balanceSat = (await balanceOf(channelId)) / 1000n;
    onchainSat = wallet.told.snapshot.onchain.confirmedSat;
    await wallet.api.forceCloseChannel({ channelId });
    await closed(channelId);
    const funding = scenario.channelOf(channelId).fundingTxid;
    await scenario.until('the commitment is out', () => spenderOf(funding));
    await scenario.mine(1);
    await scenario.until('it is being swept', () => wallet.told.snapshot.onchain.sweepingSat > 0n);
    expect(wallet.told.snapshot.onchain.sweepingSat).toBeGreaterThan(balanceSat - MOST_FEES_SAT);
  });

  it('keeps its money locked until the delay is over', async () => {
    await scenario.mine(TO_SELF_DELAY - 2);
    expect(wallet.told.snapshot.onchain.sweepingSat).toBeGreaterThan(0n);
    expect(wallet.told.snapshot.onchain.confirmedSat).toBeLessThanOrEqual(onchainSat);
  });

  it('survives a restart and brings the money after the delay', async () => {
    await wallet.restart();
    await scenario.connected();
    await scenario.mine(2);
    await scenario.until('the claim is out', () => world.chain.mempoolTxs().length > 0);
    await scenario.mine(1);
    await scenario.spendable(onchainSat + balanceSat - MOST_FEES_SAT);
    expect(wallet.told.snapshot.onchain.sweepingSat).toBe(0n);
    expect(wallet.told.eventsOf(channelId).filter(({ kind }) => kind === 'channelClosed')).toHaveLength(1);
  });
});

describe('a channel that LDK closes alone', () => {
  it('pays the wallet its output', async () => {
    const channelId = await scenario.openChannel(2_000_000n, 500_000_000n);
    const balanceSat = (await balanceOf(channelId)) / 1000n;
    const onchainSat = wallet.told.snapshot.onchain.confirmedSat;
    const peer = { nodeId: world.alice.id, address: scenario.proxied() };
    // Told of it by an `error`, the wallet closes too, and with its child it may pay more than LDK does.
    await wallet.api.disconnectPeer(peer);
    world.alice.forceClose(channelId);
    const funding = scenario.channelOf(channelId).fundingTxid;
    await scenario.until('the commitment is out', () => spenderOf(funding));
    await scenario.mine(1);
    await closed(channelId);
    await scenario.mine(1);
    await scenario.mine(1);
    await scenario.spendable(onchainSat + balanceSat - MOST_FEES_SAT);
    await wallet.api.connectPeer(peer);
    await scenario.connected();
  });

  it('pays the wallet that was away', async () => {
    const channelId = await scenario.openChannel(2_000_000n, 500_000_000n);
    const balanceSat = (await balanceOf(channelId)) / 1000n;
    const onchainSat = wallet.told.snapshot.onchain.confirmedSat;
    await wallet.close();
    world.alice.forceClose(channelId);
    await world.mine(3);
    await wallet.restart();
    await closed(channelId);
    await scenario.mine(1);
    await scenario.mine(1);
    await scenario.spendable(onchainSat + balanceSat - MOST_FEES_SAT);
  });
});

describe('a reorganisation while the wallet is away', () => {
  it('that takes its commitment out has it broadcast again', async () => {
    const channelId = await scenario.openChannel(2_000_000n, 500_000_000n);
    const { fundingTxid } = scenario.channelOf(channelId);
    world.proxy.fault = { kind: 'refuse' };
    world.proxy.drop();
    await wallet.api.forceCloseChannel({ channelId, unconfirmedState: true });
    await scenario.until('the commitment is out', () => spenderOf(fundingTxid));
    await scenario.mine(2);
    await wallet.close();
    await world.chain.reorg(2, { keepOut: true });
    expect(spenderOf(fundingTxid)).toBeUndefined();
    await wallet.restart();
    await scenario.mine(1);
    await scenario.until('the commitment is out again', () => spenderOf(fundingTxid));
  });
});
