import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activity } from '../../worker/client/api.ts';
import { World } from '../world/world.ts';
import { Scenario } from './scenario.ts';
import { NodeWallet } from './wallet-in-node.ts';

const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const TO_SELF_DELAY = 144;

let world: World;
let wallet: NodeWallet;
let scenario: Scenario;
/** Moments at which the activity did not add up to the balances. */
const wrong: string[] = [];
let looked = 0;

beforeAll(async () => {
  world = await World.start({ withoutBob: true });
  const config = { network: 'regtest', esploraUrls: [world.esplora.url] } as const;
  let opened: NodeWallet | undefined;
  wallet = await NodeWallet.open(config, () => {
    world.changes.notify();
    if (opened !== undefined) look(opened).catch((error: unknown) => wrong.push(String(error)));
  });
  opened = wallet;
  scenario = new Scenario(world, wallet);
  await scenario.start();
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

const COMES: readonly Activity['kind'][] = ['received', 'onchainReceived'];
const GOES: readonly Activity['kind'][] = ['sent', 'onchainSent'];

/** What is under way is still ours, or already not: an on-chain payment has left, and a payment over Lightning has not. */
function effectMsat({ kind, state, amountMsat, feeMsat }: Activity): bigint {
  if (COMES.includes(kind)) return amountMsat - feeMsat;
  if (!GOES.includes(kind)) return -feeMsat;
  if (state === 'replaced') return 0n;
  return state === 'succeeded' || (kind === 'onchainSent' && state !== 'failed') ? -amountMsat - feeMsat : 0n;
}

/** Both are answered at one moment. */
async function look({ api }: NodeWallet): Promise<void> {
  const [{ status, totalMsat }, rows] = await Promise.all([api.snapshot(), api.activity({ limit: 1_000 })]);
  const dueMsat = rows.reduce((sum, row) => sum + effectMsat(row), 0n);
  looked++;
  if (status === 'running' && totalMsat !== dueMsat)
    wrong.push(`${totalMsat} msat, not ${dueMsat}, after ${rows[0]?.kind ?? 'nothing'}`);
}

const rowsOf = async (kind: Activity['kind']): Promise<readonly Activity[]> =>
  (await wallet.api.activity({ limit: 1_000 })).filter((row) => row.kind === kind);

const closed = (channelId: string): Promise<unknown> =>
  scenario.until('closed', () => scenario.channelOf(channelId).state === 'closed');

describe('what was received, less what was sent and all fees, is what there is', () => {
  let channelId: string;

  it('while a channel is opened, whose funding is a row that costs its fee', async () => {
    channelId = await scenario.openChannel(2_000_000n, 500_000_000n);
    const [opened] = await rowsOf('channelOpened');
    const { fundingTxid } = scenario.channelOf(channelId);
    expect(opened).toMatchObject({ id: fundingTxid, state: 'succeeded', amountMsat: 2_000_000_000n });
    expect(opened?.feeMsat).toBeGreaterThan(0n);
    expect(await rowsOf('sent')).toMatchObject([{ amountMsat: 500_000_000n, state: 'succeeded' }]);
    expect(wrong).toEqual([]);
  });

  it('while payments go and come', async () => {
    await scenario.payTo(world.alice, 12_345_678n);
    await scenario.receiveFrom(world.alice, 7_654_321n);
    await scenario.balanced(channelId);
    const { txid } = await wallet.api.sendOnchain({ address: ELSEWHERE, amountSat: 60_000n });
    await scenario.until('the payment is out', () => world.chain.find(txid) !== undefined);
    await scenario.mine(1);
    const { address } = await wallet.api.newAddress({ type: 'p2tr' });
    await wallet.api.sendOnchain({ address, amountSat: 70_000n });
    await scenario.mine(1);
    expect((await rowsOf('onchainSent')).map(({ amountMsat }) => amountMsat)).toEqual([0n, 60_000_000n]);
    expect(wrong).toEqual([]);
  });

  it('while a channel is closed by agreement', async () => {
    await wallet.api.closeChannel({ channelId });
    await scenario.closed(channelId);
    await scenario.mine(1);
    const [row] = await rowsOf('channelClosed');
    const { closing } = scenario.channelOf(channelId);
    expect(row).toMatchObject({ id: closing?.txid, state: 'succeeded' });
    expect(closing).toMatchObject({ closedBy: 'both', balances: [], confirmations: 1 });
    expect(row?.feeMsat).toBe(closing?.feeMsat);
    expect((await rowsOf('onchainReceived')).map(({ id }) => id)).not.toContain(row?.id);
    expect(wrong).toEqual([]);
  });

  it('while a channel is closed alone, from the decision to the last coin, and over a restart', async () => {
    channelId = await scenario.openChannel(1_000_000n, 300_000_000n);
    await scenario.payTo(world.alice, 1_000_000n);
    await scenario.balanced(channelId);
    const before = (await wallet.api.snapshot()).totalMsat;
    await wallet.api.forceCloseChannel({ channelId });
    await closed(channelId);
    const { closing, balanceMsat } = scenario.channelOf(channelId);
    expect(closing).toMatchObject({ closedBy: 'us', confirmations: 0 });
    expect(closing?.balances.map(({ kind }) => kind)).toEqual(['claimableOnChannelClose']);
    expect(wallet.told.snapshot.onchain.sweepingSat * 1000n).toBe(balanceMsat);
    await scenario.until('the commitment is out', () => world.chain.mempoolTxs().length > 0);
    await scenario.mine(1);
    expect(scenario.channelOf(channelId).closing?.balances).toMatchObject([
      { kind: 'claimableAwaitingConfirmations', height: world.chain.height + TO_SELF_DELAY },
    ]);
    await wallet.restart();
    await scenario.connected();
    await scenario.mine(TO_SELF_DELAY - 1);
    await scenario.until('the sweep is a coin', () => wallet.told.snapshot.onchain.sweepingSat === 0n);
    await scenario.mine(1);
    const { closing: done, balanceMsat: left } = scenario.channelOf(channelId);
    expect([left, done?.balances]).toEqual([0n, []]);
    const costSat = done?.steps.reduce((sum, step) => sum + step.costSat, 0n) ?? 0n;
    expect((await wallet.api.snapshot()).totalMsat).toBe(before - (done?.feeMsat ?? 0n) - costSat * 1000n);
    const claimed = await rowsOf('channelClaimed');
    expect(claimed.map(({ id }) => id)).toEqual(expect.arrayContaining(done?.steps.map(({ txid }) => txid) ?? []));
    expect(claimed.every(({ state, at }) => state === 'succeeded' && at > 0)).toBe(true);
    expect(wrong).toEqual([]);
  });

  it('while a channel is opened and closed by the peer', async () => {
    channelId = await scenario.acceptChannel(500_000, 100_000_000);
    world.alice.forceClose(channelId);
    await closed(channelId);
    await scenario.mine(1);
    await scenario.mine(1);
    await scenario.until('it is swept', () => wallet.told.snapshot.onchain.sweepingSat === 0n);
    await scenario.mine(1);
    expect(scenario.channelOf(channelId).closing).toMatchObject({ closedBy: 'peer', balances: [], gainMsat: 0n });
    expect(wrong).toEqual([]);
    expect(looked).toBeGreaterThan(50);
  });
});
