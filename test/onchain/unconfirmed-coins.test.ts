import { expect, it } from 'vitest';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { scenes } from './cases.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

const begin = scenes();

const ESTIMATE_PER_KW = 5_000;
const HTLC_SAT = 200_000n;

it('a close is in the next blocks where the only coin is made of many, at 1 sat/vB', async () => {
  const scene = await begin({ format: 'anchors' }, { pushSat: 900_000n });
  scene.book = undefined;
  const { node } = scene.us;
  const away = addressOfScript(scene.them.keys.destinationScript(), 'regtest') ?? '';
  await scene.submit(
    node.turn(() => paidFrom(node.wallet, away, 'all', { feeratePerKw: 1_000, reserveSat: 0n })).rawTx,
  );
  const own = node.turn(() => node.wallet.newAddress());
  for (let coin = 0; coin < 20; coin++) await scene.chain.fund(own, 30_000);
  await scene.mine(1);
  await scene.offer({ inboundSat: [HTLC_SAT] });
  await scene.disconnect();
  await scene.submit(node.turn(() => paidFrom(node.wallet, own, 'all', { feeratePerKw: 300, reserveSat: 0n })).rawTx);
  node.turn(() => node.manager.updateFeerates(feeratesOf(1_000, ESTIMATE_PER_KW)));
  node.turn(() => node.manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
  await scene.settle();
  scene.theirsAreLost = true;
  await scene.mineAbove(ESTIMATE_PER_KW * 0.95);
  const { close } = scene;
  const vout = close.outputs.findIndex(({ amountSat }) => amountSat === HTLC_SAT);
  await scene.mineAbove(ESTIMATE_PER_KW * 0.95);
  expect(scene.spendsOf(close)[vout]).toBeDefined();
});
