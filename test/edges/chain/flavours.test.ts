import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broadcaster } from '../../../worker/edges/chain/broadcaster.ts';
import { decodeTransaction } from '../../../worker/engine/transactions/transaction.ts';
import { RegtestChain } from '../../world/chain.ts';
import {
  balancedPair,
  electrsWithoutCors,
  HONEST_FLAVOURS,
  type EsploraFlavour,
} from '../../world/esplora-flavours.ts';
import { EsploraServer } from '../../world/esplora.ts';
import { display, ELSEWHERE, walletOn } from './followed-wallet.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { paidFrom } from '../../engine/wallet/paid.ts';

const terms = { feeratePerKw: 1000, reserveSat: 0n };
/** Within which every server has had its time: of a pair, the one that hears late too. */
const A_WHILE_MS = 10 * 60_000;
let chain: RegtestChain;
let accounts = 0;

beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterAll(() => chain.stop());

/** A wallet that follows servers of some flavours. */
function followed(...flavours: readonly EsploraFlavour[]) {
  const clock = new SimulatedClock(0);
  const servers = flavours.map((flavour) => new EsploraServer(chain, { flavour, seed: 7 }));
  const { sources, wallet: victim } = walletOn(chain, ++accounts, clock, servers);
  return { clock, servers, sources, victim };
}

/** A confirmed coin of a wallet that follows, and that is asked for. */
async function watchedCoin({ clock, victim }: ReturnType<typeof followed>): Promise<string> {
  const paid = await victim.pay(victim.newScript(), 100_000);
  await chain.mine();
  victim.sync.start();
  await clock.run(A_WHILE_MS);
  victim.watchList.registerOutput(victim.coinOf(paid));
  await clock.run(A_WHILE_MS);
  return paid;
}

describe.each(HONEST_FLAVOURS.map((flavour) => [flavour.name, flavour] as const))('%s', (_name, flavour) => {
  it('shows payments and spendings, in the mempool and in their blocks, and a reorganisation', async () => {
    const { clock, victim } = followed(flavour);
    const { wallet, watchList, sync } = victim;
    /** A block, and another one, with which a pair tells of the one before at the latest: see below. */
    const confirmed = async (): Promise<number> => {
      const { height } = await chain.mine();
      await clock.run(A_WHILE_MS);
      if (flavour === balancedPair) await chain.mine();
      await clock.run(A_WHILE_MS);
      return height;
    };
    watchList.registerOutput({ txid: new Uint8Array(32).fill(3), vout: 0 });
    const paid = await victim.pay(victim.newScript(), 100_000);
    sync.start();
    await clock.run(A_WHILE_MS);
    expect(wallet.balance(0n, 0)).toMatchObject({ unconfirmedSat: 100_000n });
    const height = await confirmed();
    expect(victim.told).toMatchObject([{ txid: paid, height }]);

    watchList.registerOutput(victim.coinOf(paid));
    await clock.run(A_WHILE_MS);
    const { rawTx, txid } = paidFrom(wallet, ELSEWHERE, 'all', terms);
    await chain.submit(rawTx);
    sync.wake();
    await clock.run(A_WHILE_MS);
    expect(victim.spending).toEqual([display(txid)]);
    const spentAt = await confirmed();
    expect(victim.told.at(-1)).toMatchObject({ txid: display(txid), height: spentAt });

    await chain.reorg(chain.height - spentAt + 1);
    const again = await confirmed();
    expect(victim.told.at(-1)).toMatchObject({ txid: display(txid), height: again });
    expect(sync.headers.tip.header.hash).toBe(chain.tip.hash);
    sync.stop();
  });

  it('tells what a transaction costs', async () => {
    const { clock, sources } = followed(flavour);
    const fees = Promise.all(sources.map((source) => source.feeEstimates()));
    await clock.run(A_WHILE_MS);
    expect((await fees).map((estimates) => estimates.get(1))).toEqual([10]);
  });

  it('takes a parent below its minimum with its child, where it takes packages at all', async () => {
    const { clock, sources, victim } = followed(flavour);
    const parent = chain.faucet.build([{ script: victim.newScript(), sats: 100_000 }], 1);
    victim.wallet.transactionConfirmed(decodeTransaction(parent), chain.height);
    const { rawTx: child } = paidFrom(victim.wallet, ELSEWHERE, 'all', { ...terms, feeratePerKw: 5000 });
    chain.mempoolMinimum = 3;
    const sent = new Broadcaster(sources, clock.now).broadcast([parent, child]);
    await clock.run(A_WHILE_MS);
    chain.mempoolMinimum = 0;
    const expected = flavour.name === 'electrs' ? 'rejected' : 'accepted';
    expect((await sent).map(({ result }) => result.kind)).toEqual([expected, expected]);
    await chain.mine();
  });

  it('shows a long history of one script, some of it not confirmed', async () => {
    const { clock, victim } = followed(flavour);
    const script = victim.newScript();
    for (let payment = 0; payment < 60; payment++) await victim.pay(script, 10_000);
    await chain.mine();
    // More than a page of them, but for those servers that show no more of the mempool.
    const unconfirmed = flavour.name.startsWith('mempool') ? 55 : 12;
    for (let payment = 0; payment < unconfirmed; payment++) await victim.pay(script, 10_000);
    victim.sync.start();
    await clock.run(A_WHILE_MS);
    expect(victim.wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 600_000n });
    expect(victim.wallet.state.coins.length).toBe(60 + unconfirmed);
    victim.sync.stop();
    await chain.mine();
  });

  it('is caught up with over many blocks', async () => {
    const { clock, victim } = followed(flavour);
    await chain.mine(40);
    victim.sync.start();
    await clock.run(A_WHILE_MS);
    expect(victim.updates.at(-1)?.best.height).toBe(chain.height);
    victim.sync.stop();
  });
});

describe('a pair behind a load balancer', () => {
  it('tells of what is in the newest block before there is another', async () => {
    const pair = followed(balancedPair);
    await watchedCoin(pair);
    for (let block = 0; block < 8; block++) {
      const paid = await pair.victim.pay(pair.victim.newScript(), 50_000);
      const { height } = await chain.mine();
      await pair.clock.run(A_WHILE_MS);
      expect(pair.victim.told.at(-1)).toEqual({ txid: paid, height, atTip: height });
    }
  });

  it('shows all at once together with another server', async () => {
    const mixed = followed(balancedPair, HONEST_FLAVOURS[0]);
    await watchedCoin(mixed);
    for (let block = 0; block < 8; block++) {
      const paid = await mixed.victim.pay(mixed.victim.newScript(), 50_000);
      const { height } = await chain.mine();
      await mixed.clock.run(A_WHILE_MS);
      expect(mixed.victim.told.at(-1)).toEqual({ txid: paid, height, atTip: height });
    }
    mixed.victim.sync.stop();
  });
});

describe('a server without CORS', () => {
  it('cannot be read, and holds up nothing where there is another', async () => {
    const { clock, servers, victim } = followed(electrsWithoutCors, HONEST_FLAVOURS[0]);
    const paid = await watchedCoin({ clock, victim, servers, sources: [] });
    expect([victim.told.map(({ txid }) => txid), victim.sync.agreeing]).toEqual([[paid], 1]);
    expect(Object.keys(servers[0]?.requests ?? {})).toEqual(['/blocks/tip/hash']);
    victim.sync.stop();
  });

  it('alone is told to be out of reach', async () => {
    const { clock, victim } = followed(electrsWithoutCors);
    victim.sync.start();
    await clock.run(A_WHILE_MS);
    expect(new Set(victim.statuses.map((status) => status?.code))).toEqual(new Set(['ChainSourceUnavailable']));
    victim.sync.stop();
  });
});
