import { expect, it } from 'vitest';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { scenes } from './cases.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

const begin = scenes();
const ESTIMATE_PER_KW = 16_000;

it('a close is in the next block where the reserve is three coins of a payment that pays enough itself', async () => {
  const scene = await begin({ format: 'anchors' }, { pushSat: 900_000n });
  scene.book = undefined;
  const { node } = scene.us;
  const away = addressOfScript(scene.them.keys.destinationScript(), 'regtest') ?? '';
  await scene.submit(
    node.turn(() => paidFrom(node.wallet, away, 'all', { feeratePerKw: 1_000, reserveSat: 0n })).rawTx,
  );
  const own = node.turn(() => node.wallet.newAddress());
  await scene.chain.fund(own, 400_000);
  await scene.mine(1);
  await scene.offer({ inboundSat: [200_000n] });
  await scene.disconnect();
  // As the wallet's API does for three channels.
  const terms = { feeratePerKw: ESTIMATE_PER_KW, reserveSat: 45_000n, reserveCoinSat: 15_000n };
  await scene.submit(node.turn(() => paidFrom(node.wallet, away, 328_000n, terms)).rawTx);
  node.turn(() => node.manager.updateFeerates(feeratesOf(1_000, ESTIMATE_PER_KW)));
  node.turn(() => node.manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
  await scene.settle();
  scene.theirsAreLost = true;
  await scene.mineAbove(ESTIMATE_PER_KW * 0.95);
  expect(scene.close.outputs.length).toBeGreaterThan(0);
});
