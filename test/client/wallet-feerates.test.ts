import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scenario } from '../interop/scenario.ts';
import { NodeWallet } from '../interop/wallet-in-node.ts';
import { World } from '../world/world.ts';

let world: World;
let wallet: NodeWallet;
let scenario: Scenario;

beforeAll(async () => {
  world = await World.start();
  world.esplora.faults.add({ kind: 'answer', status: 500, body: 'broken', times: 1000, path: '^/fee-estimates' });
  wallet = await NodeWallet.open({ network: 'regtest', esploraUrls: [world.esplora.url] }, () =>
    world.changes.notify(),
  );
  scenario = new Scenario(world, wallet);
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

it('opens no channel without fee estimates, and does once the server has some', async () => {
  await scenario.start();
  const opening = { nodeId: world.addresses.peer.nodeId, amountSat: 1_000_000n };
  await expect(wallet.api.openChannel(opening)).rejects.toMatchObject({ code: 'FeeratesUnknown' });
  world.esplora.faults.clear();
  await wallet.restart();
  await scenario.connected();
  await expect(wallet.api.openChannel(opening)).resolves.toMatchObject({ temporaryChannelId: expect.any(String) });
});
