import { afterAll, beforeAll, expect, it } from 'vitest';
import { mnemonicSeed } from '../../worker/engine/keys/mnemonic.ts';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { Descriptors, type Branch } from '../../worker/engine/wallet/descriptors.ts';
import { World } from '../world/world.ts';
import { Scenario } from './scenario.ts';
import { NodeWallet } from './wallet-in-node.ts';

const MNEMONIC = 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';
/** Where wallets that had these words before have left coins: each of a branch within the gap of the one before. */
const LEFT: readonly (readonly [Branch, number])[] = [
  ['receive', 0],
  ['receive', 20],
  ['receive', 40],
  ['change', 3],
  ['taproot', 19],
  ['taprootChange', 2],
  ['legacy', 0],
  ['legacy', 20],
  ['nestedChange', 7],
];
const OWN = 6;
const EACH_SAT = 100_000;

let world: World;
let wallet: NodeWallet;
let scenario: Scenario;

beforeAll(async () => {
  world = await World.start();
  wallet = await NodeWallet.openIn(world);
  scenario = new Scenario(world, wallet);
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

it('a restore finds the coins of every branch, and takes over those that nothing is paid with', async () => {
  const descriptors = new Descriptors(mnemonicSeed(MNEMONIC), 'regtest');
  for (const [branch, index] of LEFT)
    await world.chain.fund(addressOfScript(descriptors.script({ branch, index }), 'regtest') ?? '', EACH_SAT);
  await world.chain.mine();
  await wallet.api.restoreWallet({ mnemonic: MNEMONIC });
  const [ownSat, allSat] = [OWN, LEFT.length].map((count) => BigInt(count * EACH_SAT));
  const { onchain } = await scenario.until('all coins are found', () => {
    const { snapshot } = wallet.told;
    return snapshot.totalMsat === (allSat ?? 0n) * 1000n && snapshot;
  });
  expect(onchain).toMatchObject({ spendableSat: ownSat, foundSat: 300_000n, unconfirmedSat: 0n });
  const { amountSat, feeSat } = await wallet.api.quoteSweepFound();
  const { txids } = await wallet.api.sweepFound({ maxFeeSat: feeSat });
  expect(txids).toHaveLength(1);
  await scenario.until('the sweep is in the mempool', () => world.chain.mempoolTxs().length === 1);
  await scenario.mine(1);
  await scenario.until('what was found is there to spend', () => {
    const { spendableSat, foundSat } = wallet.told.snapshot.onchain;
    return foundSat === 0n && spendableSat === (ownSat ?? 0n) + amountSat;
  });
  expect(wallet.told.snapshot.totalMsat).toBe(((allSat ?? 0n) - feeSat) * 1000n);
  const rows = await wallet.api.activity({ limit: 100 });
  const signed = rows.map(({ kind, amountMsat, feeMsat }) =>
    kind === 'onchainReceived' ? amountMsat : -amountMsat - feeMsat,
  );
  expect(signed.reduce((sum, each) => sum + each, 0n)).toBe(wallet.told.snapshot.totalMsat);
  await wallet.restart();
  await scenario.until('it is synced again', () => wallet.told.snapshot.chain.kind === 'synced');
  expect(wallet.told.snapshot.totalMsat).toBe(((allSat ?? 0n) - feeSat) * 1000n);
  const { address } = await wallet.api.newAddress({ type: 'p2wpkh' });
  expect(address).toBe(addressOfScript(descriptors.script({ branch: 'receive', index: 42 }), 'regtest'));
});
