import 'fake-indexeddb/auto';
import { expect, it } from 'vitest';
import { openOffline } from './offline-wallet.ts';

it('the log that is exported ends with the tasks of the background processor, once there is a wallet', async () => {
  const wallet = await openOffline('log', {});
  expect(wallet.exportLog()).not.toContain('task ');
  await wallet.createWallet();
  const lines = wallet
    .exportLog()
    .split('\n')
    .filter((line) => line.startsWith('task '));
  expect(lines.map((line) => /^task (\w+): every (\d+) s, /.exec(line)?.slice(1))).toEqual([
    ['stalePeers', '1'],
    ['timers', '1'],
    ['channelRows', '1'],
    ['tipAge', '1'],
    ['eventDelivery', '1'],
    ['feerates', '120'],
    ['rebroadcast', '1'],
    ['claimBumping', '30'],
    ['lazyPersistence', '1'],
  ]);
  await wallet.close();
});
