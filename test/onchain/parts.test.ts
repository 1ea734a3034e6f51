import { expect, it } from 'vitest';
import type { ChannelHtlc } from '../../worker/engine/transactions/channel-htlc.ts';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { scenes } from './cases.ts';
import type { Scene } from './scene.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

const begin = scenes();

type Part = readonly [channelKey: string, htlc: ChannelHtlc];

/** Two parts of one payment that wait for a decision, the larger first. */
async function offered(scene: Scene): Promise<readonly [Part, Part]> {
  const { us, them } = scene;
  us.node.open(them.node, 300_000n, 150_000_000n);
  await scene.settle();
  await scene.mine(6);
  const held: Part[] = [];
  us.node.manager.inboundPayments.accepted = (key, htlc) => void held.push([key, htlc]);
  them.node.pay(us.node.invoice(450_000_000n));
  await scene.settle();
  Reflect.deleteProperty(us.node.manager.inboundPayments, 'accepted');
  const [large, small] = held.toSorted(([, a], [, b]) => Number(b.amountMsat - a.amountMsat));
  if (large === undefined || small === undefined) throw new Error('there are two parts');
  return [large, small];
}

async function spendAll(scene: Scene): Promise<void> {
  const { us, them } = scene;
  const away = addressOfScript(them.keys.destinationScript(), 'regtest') ?? '';
  const terms = { feeratePerKw: 1_000, reserveSat: 0n };
  await scene.submit(us.node.turn(() => paidFrom(us.node.wallet, away, 'all', terms)).rawTx);
  await scene.mine(1);
}

it.each([true, false])(
  'a payment is taken where coins can take its part out of our commitment (with coins: %s)',
  async (hasCoins) => {
    const scene = await begin({ format: 'anchors' });
    scene.book = undefined;
    const { us, them } = scene;
    for (const party of scene.parties) {
      party.keepsBooks = false;
      party.mayCloseAtDeadlines = false;
    }
    const [large, small] = await offered(scene);
    const decide = ([key, htlc]: Part): void =>
      us.hear(({ manager }) => manager.inboundPayments.accepted(key, htlc, manager.blockHeight));
    decide(large);
    us.node.turn(() => us.node.manager.forceCloseChannel(large[0], { unconfirmedState: true }));
    scene.theirsAreLost = true;
    await scene.settle();
    await scene.mine(1);
    if (!hasCoins) await spendAll(scene);
    decide(small);
    await scene.settle();
    await scene.mine(1);
    const { outputSpends = [] } = us.node.manager.chainMonitor.monitor(large[0]) ?? {};
    const isReceived = us.node.manager.pendingEvents().some(({ kind }) => kind === 'paymentReceived');
    const isPaid = scene.outcomesOf(them).includes('succeeded');
    expect([isPaid, isReceived, outputSpends.length > 0]).toEqual([hasCoins, hasCoins, hasCoins]);
  },
);
