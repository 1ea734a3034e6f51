import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reserveSat } from '../../worker/client/onchain-reserve.ts';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { RegtestChain } from '../world/chain.ts';
import { CASES, CLOSES } from './cases.ts';
import { Ledger } from './ledger.ts';
import { Scene } from './scene.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

let chain: RegtestChain;
beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterEach(() => {
  chain.mempoolMinimum = 0;
});
afterAll(() => chain.stop());

async function begin({ format, restarts }: (typeof CASES)[number]): Promise<Scene> {
  const scene = await Scene.begin(chain, format, { terms: { reserveSat } });
  scene.restarts = restarts;
  return scene;
}

/** 20 sat/vB, for which the reserve brings a commitment into a block. */
const DEAR_PER_KW = 5_000;
/** Less than such a coin costs to spend then. */
const SMALL_SAT = 1_000;

describe.each(CLOSES.filter(({ format }) => format === 'anchors'))(
  'the reserve, after a commitment of $closer, with $name,',
  (each) => {
    it('is kept for as long as coins may have to take something out of it (S27)', async () => {
      const scene = await begin(each);
      await scene.offer({ outboundSat: [50_000n] });
      const { expiry } = scene;
      const reserving = (): number => scene.us.node.manager.reservingChannels();
      expect(reserving()).toBe(1);
      await scene.forceClose(scene[each.closer], { thenTheirsAreLost: true });
      const needsCoins = each.closer === 'us' ? 1 : 0;
      expect(reserving()).toBe(needsCoins);
      await scene.wait(expiry - scene.chain.height);
      expect(reserving()).toBe(needsCoins);
      await scene.mine(1);
      expect(reserving()).toBe(0);
    });
  },
);

describe.each(CASES.filter(({ format }) => format === 'anchors'))('the reserve, with $name,', (each) => {
  it('is not made of coins that cost more than they bring, and closes the channel where blocks are dear (S27)', async () => {
    const scene = await begin(each);
    const { us, them } = scene;
    for (const party of scene.parties) party.keepsBooks = false;
    for (let coin = 0; coin < 20; coin++) {
      const own = us.node.turn(() => us.node.wallet.newAddress());
      await chain.fund(own, SMALL_SAT);
    }
    await scene.mine(1);
    const terms = { feeratePerKw: DEAR_PER_KW, reserveSat: reserveSat(us.node.manager.reservingChannels()) };
    const away = addressOfScript(them.keys.destinationScript(), 'regtest') ?? '';
    const { wallet } = us.node;
    const { confirmedSat } = wallet.balance(0n, 0);
    const mostSat = wallet.balance(terms.reserveSat, DEAR_PER_KW).spendableSat;
    expect(confirmedSat - mostSat).toBeGreaterThan(terms.reserveSat + 20n * BigInt(SMALL_SAT) - 1n);
    const send = (sat: bigint | 'all'): Uint8Array => us.node.turn(() => paidFrom(wallet, away, sat, terms)).rawTx;
    expect(() => send(confirmedSat - 20n * BigInt(SMALL_SAT) - 5_000n)).toThrow(
      expect.objectContaining({ code: 'InsufficientFunds' }),
    );
    await scene.submit(send('all'));
    await scene.mine(1);
    us.node.turn(() => us.node.manager.updateFeerates(feeratesOf(1_000, DEAR_PER_KW)));
    chain.mempoolMinimum = DEAR_PER_KW / 250 - 1;
    const ledger = new Ledger(scene, us);
    const close = await scene.forceClose(us);
    expect(us.monitor.confirmedSpend?.spend.kind).toBe('holderCommitment');
    chain.mempoolMinimum = 0;
    await scene.mine(25);
    expect(ledger.gainedSat).toBe(scene.balanceSat(us) + 330n - ledger.feesSat(close));
  });

  it('counts each of several channels, also one that is being opened (S27)', async () => {
    const scene = await begin(each);
    const { us, them } = scene;
    const { wallet, manager } = us.node;
    const { confirmedSat } = wallet.balance(0n, 0);
    const open = (sat: bigint): string => us.node.open(them.node, sat);
    expect(() => open(confirmedSat - reserveSat(2) + 1n)).toThrow(
      expect.objectContaining({ code: 'InsufficientFunds' }),
    );
    open(300_000n);
    await scene.settle();
    expect([manager.reservingChannels(), us.node.manager.channels().length]).toEqual([2, 2]);
    const { spendableSat, reservedSat, confirmedSat: left, unconfirmedSat } = wallet.balance(reserveSat(2), 1_000);
    expect(reservedSat).toBeGreaterThanOrEqual(reserveSat(2));
    expect(spendableSat + reservedSat).toBeLessThanOrEqual(left + unconfirmedSat);
  });
});
