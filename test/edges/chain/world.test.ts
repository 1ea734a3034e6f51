import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Broadcaster } from '../../../worker/edges/chain/broadcaster.ts';
import { ChainSync, type ToldTip } from '../../../worker/edges/chain/chain-sync.ts';
import type { ChainUpdate } from '../../../worker/edges/chain/chain-update.ts';
import type { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import type { HeaderChain } from '../../../worker/edges/chain/header-chain.ts';
import { workerPlatform, type ChainPlatform } from '../../../worker/edges/chain/platform.ts';
import { WatchList } from '../../../worker/edges/chain/watch-list.ts';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { transactionId, type Outpoint } from '../../../worker/engine/transactions/transaction.ts';
import { addressOfScript } from '../../../worker/engine/wallet/address.ts';
import { Descriptors } from '../../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';
import { randomOf } from '../../simulation/random.ts';
import { RegtestChain } from '../../world/chain.ts';
import { EsploraServer } from '../../world/esplora.ts';
import { regtestChain } from './regtest-headers.ts';
import { esploraAt } from './esplora-at.ts';
import { syncOf } from './sync-of.ts';
import { paidFrom } from '../../engine/wallet/paid.ts';
import { takeIn } from './followed-wallet.ts';

const seed = mnemonicSeed('abandon '.repeat(11) + 'about');
const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const ELSEWHERE_SCRIPT = new Uint8Array(22);
const terms = { feeratePerKw: 1000, reserveSat: 0n };
let chain: RegtestChain;
let esplora: EsploraServer;
let accounts = 0;

beforeAll(async () => {
  chain = await RegtestChain.start();
  esplora = new EsploraServer(chain);
  await esplora.listen();
});

afterAll(async () => {
  await esplora.stop();
  await chain.stop();
});

interface FollowerOptions {
  readonly platform?: ChainPlatform;
  readonly headers?: HeaderChain;
  readonly told?: ToldTip;
  readonly before?: readonly EsploraApi[];
  /** Instead of the world's server. */
  readonly sources?: readonly EsploraApi[];
  readonly wallet?: OnchainWallet;
  readonly intervalMs?: number;
}

/** A wallet of its own, following the chain from its tip. */
class Follower {
  readonly updates: ChainUpdate[] = [];
  readonly watchList = new WatchList();
  readonly wallet: OnchainWallet;
  readonly sync: ChainSync;
  readonly api: EsploraApi;
  onUpdate: (update: ChainUpdate) => void = () => undefined;

  constructor(options: FollowerOptions = {}) {
    const platform = options.platform ?? workerPlatform;
    this.api = esploraAt(esplora.url, platform);
    this.wallet = options.wallet ?? new OnchainWallet(secp, new Descriptors(seed.with(0, accounts++), 'regtest'));
    this.sync = syncOf({
      sources: options.sources ?? [...(options.before ?? []), this.api],
      platform,
      headers: options.headers ?? regtestChain(chain.tip.header, chain.height),
      told: options.told,
      watchList: this.watchList,
      onUpdate: (update) => this.#apply(update),
      intervalMs: options.intervalMs ?? 1000,
    });
  }

  #apply(update: ChainUpdate): void {
    this.updates.push(update);
    takeIn(this.wallet, update);
    this.onUpdate(update);
  }

  /** Confirmed coins on a fresh address of the wallet. */
  async fund(amountSat: number): Promise<Outpoint> {
    const script = this.wallet.newScript('receive');
    this.watchList.registerScript(script);
    const txid = await chain.fund(addressOfScript(script, 'regtest') ?? '', amountSat);
    await chain.mine();
    await this.sync.poll();
    const coin = this.wallet.state.coins.find((candidate) => display(candidate.txid) === txid);
    if (!coin) throw new Error('the coin has arrived');
    return coin;
  }

  /** A payment to a fresh address of the wallet, seen in the mempool. */
  async fundUnconfirmed(amountSat: number): Promise<string> {
    const script = this.wallet.newScript('receive');
    this.watchList.registerScript(script);
    const txid = await chain.fund(addressOfScript(script, 'regtest') ?? '', amountSat);
    await this.sync.poll({ everything: true });
    return txid;
  }

  /** As after a start: all that is left is the wallet and the headers. */
  restarted(): Follower {
    const { headers } = this.sync;
    const next = new Follower({ wallet: this.wallet, headers, told: { headers, height: headers.tip.height } });
    for (const script of this.wallet.scripts.handedOut())
      next.watchList.registerScript(script, this.wallet.scripts.transactionsOf(script));
    return next;
  }

  /** The confirmed transactions of all updates, as height:txid. */
  get confirmed(): string[] {
    return this.updates.flatMap(({ confirmed }) =>
      confirmed.flatMap(({ height, txs }) => txs.map(({ txid }) => `${height}:${display(txid)}`)),
    );
  }
}

const display = (txid: Uint8Array): string => toHex(reversed(txid));
const requestCount = (): number => Object.values(esplora.requests).reduce((sum, count) => sum + count, 0);
let follower: Follower;

beforeEach(() => {
  esplora.faults.clear();
  follower = new Follower();
});

describe('the wallet over a real Esplora', () => {
  it('sees a payment in the mempool, then in a block, then spends it', async () => {
    const script = follower.wallet.newScript('receive');
    follower.watchList.registerScript(script);
    await chain.fund(addressOfScript(script, 'regtest') ?? '', 200_000);
    await follower.sync.poll({ everything: true });
    expect(follower.wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 0n, unconfirmedSat: 200_000n });
    await chain.mine();
    await follower.sync.poll();
    expect(follower.wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 200_000n, unconfirmedSat: 0n });

    const { rawTx, feeSat } = paidFrom(follower.wallet, ELSEWHERE, 50_000n, terms);
    const [outcome] = await new Broadcaster([follower.api], () => 0).broadcast([rawTx]);
    expect(outcome?.result).toEqual({ kind: 'accepted' });
    await chain.mine();
    await follower.sync.poll();
    expect(follower.wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 150_000n - feeSat, unconfirmedSat: 0n });
  });

  it('brings a parent below the minimum into the mempool with its child, where the server takes packages', async () => {
    await follower.fund(200_000);
    const parent = paidFrom(follower.wallet, ELSEWHERE, 50_000n, { ...terms, feeratePerKw: 253 });
    const child = paidFrom(follower.wallet, ELSEWHERE, 50_000n, { ...terms, feeratePerKw: 5_000 });
    let now = 0;
    const broadcaster = new Broadcaster([follower.api], () => now);
    const kinds = async (): Promise<readonly string[]> =>
      (await broadcaster.broadcast([parent.rawTx, child.rawTx])).map(({ result }) => result.kind);
    const isIn = (): readonly boolean[] =>
      [parent, child].map(({ tx }) => chain.find(display(transactionId(tx))) !== undefined);
    chain.mempoolMinimum = 5;
    esplora.packages = false;
    expect([await kinds(), isIn()]).toEqual([
      ['rejected', 'rejected'],
      [false, false],
    ]);
    esplora.packages = true;
    now += 600_000;
    expect([await kinds(), isIn()]).toEqual([
      ['accepted', 'accepted'],
      [true, true],
    ]);
    chain.mempoolMinimum = 0;
    await chain.mine();
    expect(await kinds()).toEqual(['alreadyKnown', 'alreadyKnown']);
  });

  it('takes back what a reorganisation takes out, and finds it again', async () => {
    const { txid } = await follower.fund(70_000);
    const { height } = chain;
    await chain.reorg(1);
    await follower.sync.poll();
    const update = follower.updates.at(-1);
    expect([update?.disconnectedTo, update?.unconfirmed.map(display)]).toEqual([height - 1, [display(txid)]]);
    expect(follower.wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 0n, unconfirmedSat: 70_000n });
    await chain.mine();
    await follower.sync.poll();
    expect(follower.wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 70_000n, unconfirmedSat: 0n });
  });

  it('drops what a reorganisation made vanish', async () => {
    await follower.fund(70_000);
    await chain.reorg(1, { keepOut: true });
    await follower.sync.poll();
    expect(follower.wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 0n, unconfirmedSat: 0n });
  });
});

it('a script that is asked for late brings back no coin that another one has spent long ago', async () => {
  const { wallet, watchList, sync } = follower;
  const [first, second] = [wallet.newScript('receive'), wallet.newScript('receive')];
  watchList.registerScript(first);
  const payments = [
    { script: first, sats: 100_000 },
    { script: second, sats: 1_000 },
  ];
  await chain.submit(chain.faucet.build(payments));
  await chain.mine();
  await sync.poll();
  await follower.api.broadcast(paidFrom(wallet, ELSEWHERE, 60_000n, terms).rawTx);
  await chain.mine();
  await sync.poll();
  await chain.mine(100);
  await sync.poll();
  const before = wallet.balance(0n, 0);
  expect(before.confirmedSat).toBeLessThan(42_000n);
  watchList.registerScript(second);
  await sync.poll();
  expect(follower.updates.at(-1)?.confirmed).toHaveLength(1);
  expect(wallet.balance(0n, 0)).toEqual(before);
});

describe('after a restart', () => {
  const balance = (): object => follower.wallet.balance(0n, 0);
  /** Takes what is in the mempool out of it. */
  const evict = async (): Promise<void> => {
    await chain.mine();
    await chain.reorg(1, { keepOut: true });
  };

  it('what vanished from the mempool meanwhile is dropped', async () => {
    await follower.fundUnconfirmed(70_000);
    expect(balance()).toMatchObject({ unconfirmedSat: 70_000n });
    await evict();
    const next = follower.restarted();
    await next.sync.poll();
    expect(balance()).toMatchObject({ confirmedSat: 0n, unconfirmedSat: 0n });
    await next.sync.poll({ everything: true });
    expect(next.updates.map(({ dropped }) => dropped.length)).toEqual([1, 0]);
  });

  it('the coins are back of a spending that vanished, and its change is gone', async () => {
    await follower.fund(70_000);
    await follower.api.broadcast(paidFrom(follower.wallet, ELSEWHERE, 50_000n, terms).rawTx);
    await evict();
    await follower.restarted().sync.poll();
    expect(balance()).toMatchObject({ confirmedSat: 70_000n, unconfirmedSat: 0n, spendableSat: 70_000n });
  });

  it('what waits in the mempool still waits, and is then found in its block', async () => {
    const txid = await follower.fundUnconfirmed(70_000);
    const next = follower.restarted();
    await next.sync.poll();
    expect(next.updates.map(({ dropped, mempool }) => [dropped.length, mempool.length])).toEqual([[0, 0]]);
    expect(balance()).toMatchObject({ unconfirmedSat: 70_000n });
    await chain.mine();
    await next.restarted().sync.poll();
    expect(balance()).toMatchObject({ confirmedSat: 70_000n, unconfirmedSat: 0n });
    expect(follower.wallet.state.coins.map((coin) => [display(coin.txid), coin.height])).toEqual([
      [txid, chain.height],
    ]);
  });

  it('what is known is asked for with one request a script, and proven again nowhere', async () => {
    for (let coin = 0; coin < 5; coin++) await follower.fund(70_000);
    esplora.resetRequests();
    const next = follower.restarted();
    await next.sync.poll();
    const { '/scripthash/:id': asked = 0, ...others } = esplora.requests;
    expect(asked).toBe(follower.wallet.scripts.handedOut().length);
    expect(Object.keys(others)).toEqual(['/blocks/tip/hash']);
    expect(next.updates.flatMap(({ confirmed }) => confirmed)).toEqual([]);
  });

  it('what a reorganisation made vanish meanwhile is dropped', async () => {
    await follower.fund(70_000);
    await chain.reorg(1, { keepOut: true });
    await follower.restarted().sync.poll();
    expect(balance()).toMatchObject({ confirmedSat: 0n, unconfirmedSat: 0n });
  });

  it('what a reorganisation put back into the mempool meanwhile is unconfirmed', async () => {
    await follower.fund(70_000);
    await chain.reorg(1);
    await follower.restarted().sync.poll();
    expect(balance()).toMatchObject({ confirmedSat: 0n, unconfirmedSat: 70_000n });
  });
});

describe('watched transactions and outputs', () => {
  it('are reported once, with their block, and in order', async () => {
    const outpoint = await follower.fund(100_000);
    follower.watchList.registerOutput(outpoint);
    await follower.sync.poll();
    const { rawTx, txid } = paidFrom(follower.wallet, ELSEWHERE, 'all', terms);
    follower.watchList.registerTx(txid);
    await follower.api.broadcast(rawTx);
    const before = follower.confirmed.length;
    await chain.mine();
    await follower.sync.poll();
    await chain.mine();
    await follower.sync.poll();
    expect(follower.confirmed.slice(before)).toEqual([`${chain.height - 1}:${display(txid)}`]);
  });

  it('are told of what spends them in the mempool, once', async () => {
    const outpoint = await follower.fund(100_000);
    follower.watchList.registerOutput(outpoint);
    await follower.sync.poll();
    const { rawTx, txid } = paidFrom(follower.wallet, ELSEWHERE, 'all', terms);
    await follower.api.broadcast(rawTx);
    await follower.sync.poll({ everything: true });
    await follower.sync.poll({ everything: true });
    await chain.mine();
    await follower.sync.poll();
    const spending = follower.updates.flatMap((update) => update.spending.map(transactionId));
    expect(spending.map(display)).toEqual([display(txid)]);
    expect(follower.confirmed.at(-1)).toBe(`${chain.height}:${display(txid)}`);
  });

  it('are found in the same poll when the update itself registers them', async () => {
    const outpoint = await follower.fund(100_000);
    const { rawTx, txid } = paidFrom(follower.wallet, ELSEWHERE, 'all', terms);
    await follower.api.broadcast(rawTx);
    await chain.mine();
    const late = new Follower({ headers: follower.sync.headers });
    late.watchList.registerTx(outpoint.txid);
    late.onUpdate = () => late.watchList.registerOutput(outpoint);
    await late.sync.poll();
    expect(late.confirmed).toEqual([
      `${chain.height - 1}:${display(outpoint.txid)}`,
      `${chain.height}:${display(txid)}`,
    ]);
  });

  it('older than the headers kept are found too', async () => {
    const outpoint = await follower.fund(100_000);
    await chain.mine(3);
    const late = new Follower();
    late.watchList.registerTx(outpoint.txid);
    await late.sync.poll();
    expect(late.confirmed).toEqual([`${chain.height - 3}:${display(outpoint.txid)}`]);
  });
});

describe('addresses that were used', () => {
  const USED = 12;
  const MINUTE_MS = 60_000;
  let now = 0;
  const clock = { ...workerPlatform, now: () => now };

  /** A wallet whose first addresses are asked for now and then, and a payment to the first of them. */
  async function rested(): Promise<{ readonly late: Follower; readonly scripts: readonly Uint8Array[] }> {
    now = workerPlatform.now();
    const wallet = new OnchainWallet(secp, new Descriptors(seed.with(0, accounts++), 'regtest'));
    const scripts = Array.from({ length: USED }, () => wallet.newScript('receive'));
    const late = new Follower({ wallet, platform: clock });
    for (const script of scripts) late.watchList.restScript(script);
    await late.sync.poll();
    await chain.fund(addressOfScript(scripts[0] ?? ELSEWHERE_SCRIPT, 'regtest') ?? '', 80_000);
    await chain.mine();
    await late.sync.poll();
    return { late, scripts };
  }

  /** Polls each minute. */
  async function pass(late: Follower, minutes: number): Promise<void> {
    for (let minute = 0; minute <= minutes; minute++, now += MINUTE_MS) await late.sync.poll();
  }

  it('are looked at in turn, and what comes to one is found within an hour', async () => {
    const { late } = await rested();
    expect(late.wallet.state.coins).toEqual([]);
    esplora.resetRequests();
    await pass(late, 45);
    expect(late.wallet.balance(0n, 0).confirmedSat).toBe(80_000n);
    expect(esplora.requests['/scripthash/:id']).toBe(USED);
  });

  it('are all looked at soon after somebody has come back', async () => {
    const { late } = await rested();
    late.sync.wake();
    await pass(late, 5);
    expect(late.wallet.balance(0n, 0).confirmedSat).toBe(80_000n);
  });

  it('have their turn again soon where it failed, and the others before that', async () => {
    const { late } = await rested();
    esplora.faults.add({ kind: 'answer', status: 500, body: '', times: 1, path: '^/scripthash/' });
    await pass(late, 20);
    expect(late.wallet.balance(0n, 0).confirmedSat).toBe(80_000n);
  });

  it('are looked at at once where a reorganisation has taken something from one', async () => {
    const { late } = await rested();
    await pass(late, 45);
    expect(late.wallet.balance(0n, 0).confirmedSat).toBe(80_000n);
    await chain.reorg(1, { keepOut: true });
    await late.sync.poll();
    expect(late.wallet.balance(0n, 0).confirmedSat).toBe(0n);
  });

  it('are asked for with every block again once they are awaited', async () => {
    const { late, scripts } = await rested();
    late.watchList.registerScript(scripts[0] ?? ELSEWHERE_SCRIPT);
    await late.sync.poll();
    expect([late.wallet.balance(0n, 0).confirmedSat, late.watchList.restingCount]).toEqual([80_000n, USED - 1]);
  });
});

describe('requests', () => {
  it('are one while nothing happens, and three for a block with one watched output', async () => {
    follower.watchList.registerOutput(await follower.fund(100_000));
    const scripts = follower.wallet.scripts.handedOut();
    for (const script of scripts) follower.watchList.unregisterScript(script);
    await follower.sync.poll();
    esplora.resetRequests();
    await follower.sync.poll();
    expect(requestCount()).toBe(1);
    await chain.mine();
    await follower.sync.poll();
    expect(esplora.requests).toEqual({
      '/blocks/tip/hash': 2,
      '/block/:hash/header': 1,
      '/tx/:txid/outspend/:vout': 1,
    });
  });

  it('do not grow with what is long past', async () => {
    for (let round = 0; round < 3; round++) follower.watchList.registerTx((await follower.fund(100_000)).txid);
    for (const script of follower.wallet.scripts.handedOut()) follower.watchList.unregisterScript(script);
    await chain.mine(100);
    await follower.sync.poll();
    expect(follower.watchList.items.size).toBe(0);
    esplora.resetRequests();
    await chain.mine();
    await follower.sync.poll();
    expect(requestCount()).toBeLessThanOrEqual(3);
  });

  it('fetch the headers of many blocks ten at a time', async () => {
    await chain.mine(35);
    esplora.resetRequests();
    await follower.sync.poll();
    expect(follower.sync.headers.tip).toMatchObject({ height: chain.height, header: { hash: chain.tip.hash } });
    expect(requestCount()).toBeLessThanOrEqual(12);
  });
});

describe('a source that fails', () => {
  const paths = ['/blocks/tip/hash', '/header', '/outspend/', '/merkle-proof', '/hex'];

  it.each(paths)('at %s tells nothing, and the next poll brings everything', async (path) => {
    const outpoint = await follower.fund(100_000);
    follower.watchList.registerOutput(outpoint);
    await follower.sync.poll();
    const { rawTx, txid } = paidFrom(follower.wallet, ELSEWHERE, 'all', terms);
    await follower.api.broadcast(rawTx);
    await chain.mine();
    const before = follower.updates.length;
    esplora.faults.add({ kind: 'answer', status: 500, path });
    await expect(follower.sync.poll()).rejects.toThrow(expect.objectContaining({ code: 'ChainSourceUnavailable' }));
    expect(follower.updates.length).toBe(before);
    await follower.sync.poll();
    expect(follower.confirmed).toContain(`${chain.height}:${display(txid)}`);
  });

  it('is left for the next one', async () => {
    const broken = esploraAt('http://127.0.0.1:1', workerPlatform);
    const two = new Follower({ before: [broken] });
    await chain.mine();
    await two.sync.poll();
    expect(two.sync.headers.tip.height).toBe(chain.height);
  });
});

describe('several sources', () => {
  /** The real server, with some answers given by a function. */
  const saying = (name: string, answer: (path: string) => Response | undefined): EsploraApi =>
    esploraAt(`http://${name}.test`, {
      ...workerPlatform,
      fetch: (url, init) => {
        const path = url.slice(`http://${name}.test`.length);
        return Promise.resolve(answer(path) ?? workerPlatform.fetch(`${esplora.url}${path}`, init));
      },
    });
  const body = (value: object): Response => new Response(JSON.stringify(value));
  /** It tells of no spending, and of no transaction of a script. */
  const hiding = (): EsploraApi =>
    saying('hiding', (path) => {
      if (path.includes('/outspend/')) return body({ spent: false });
      if (path.endsWith('/txs')) return body([]);
      const none = { tx_count: 0 };
      return path.startsWith('/scripthash/') ? body({ chain_stats: none, mempool_stats: none }) : undefined;
    });

  it.each(['before', 'after'] as const)('show what one of them hides, which is asked %s them', async (place) => {
    const honest = esploraAt(esplora.url, workerPlatform);
    const sources = place === 'before' ? [hiding(), honest] : [honest, hiding()];
    const outpoint = await follower.fund(100_000);
    const both = new Follower({ sources });
    both.watchList.registerOutput(outpoint);
    both.watchList.registerScript(both.wallet.newScript('receive'));
    await both.sync.poll();
    expect(both.sync.agreeing).toBe(2);
    const { rawTx, txid } = paidFrom(follower.wallet, ELSEWHERE, 'all', terms);
    await follower.api.broadcast(rawTx);
    const paid = await chain.fund(addressOfScript(both.wallet.scripts.watched()[0] ?? txid, 'regtest') ?? '', 70_000);
    for (let poll = 0; poll < 3; poll++) await both.sync.poll({ everything: true });
    expect(both.updates.flatMap(({ spending }) => spending.map(transactionId)).map(display)).toContain(display(txid));
    expect(both.updates.flatMap(({ mempool }) => mempool.map(transactionId)).map(display)).toContain(paid);
    expect(both.updates.flatMap(({ dropped }) => dropped)).toEqual([]);
    expect(both.wallet.state.coins.map(({ amountSat }) => amountSat)).toEqual([70_000n]);
    await chain.mine();
    await both.sync.poll();
    expect(both.confirmed).toContain(`${chain.height}:${display(txid)}`);
    expect(both.wallet.state.coins.map(({ height }) => height)).toEqual([chain.height]);
  });

  const honest = (): EsploraApi => saying('honest', () => undefined);
  /** It counts rightly, and lists nothing. */
  const listless = (isLying: () => boolean = () => true): EsploraApi =>
    saying('listless', (path) => (isLying() && /\/txs(\/chain\/.*)?$/.test(path) ? body([]) : undefined));
  /** A wallet that was followed by an honest server, begun anew with others. */
  const begunAnew = (before: Follower, sources: readonly EsploraApi[]): Follower => {
    const { wallet } = before;
    const { headers } = before.sync;
    const next = new Follower({ wallet, headers, told: { headers, height: headers.tip.height }, sources });
    for (const script of wallet.scripts.handedOut())
      next.watchList.registerScript(script, wallet.scripts.transactionsOf(script));
    return next;
  };
  const polled = async (both: Follower): Promise<bigint> => {
    for (let poll = 0; poll < 3; poll++) {
      await both.sync.poll({ everything: true });
      await chain.mine();
    }
    return both.wallet.balance(0n, 0).confirmedSat;
  };

  it('show a coin that the first counts and does not list', async () => {
    const both = new Follower({ sources: [listless(), honest()] });
    const script = both.wallet.newScript('receive');
    both.watchList.registerScript(script);
    await both.sync.poll();
    await chain.fund(addressOfScript(script, 'regtest') ?? '', 70_000);
    await chain.mine();
    expect(await polled(both)).toBe(70_000n);
  });

  it('keep a payment in the mempool that the first counts and does not list', async () => {
    await follower.fundUnconfirmed(70_000);
    const next = begunAnew(follower, [listless(), honest()]);
    await next.sync.poll();
    expect(next.wallet.balance(0n, 0).unconfirmedSat).toBe(70_000n);
    await chain.mine();
  });

  it.each([
    [false, 70_000n],
    [true, 0n],
  ])(
    'show what has become of a coin in a reorganisation (kept out: %s), whatever the first lists',
    async (keepOut, sat) => {
      let isLying = false;
      const both = new Follower({ sources: [listless(() => isLying), honest()] });
      await both.fund(70_000);
      isLying = true;
      await chain.reorg(1, { keepOut });
      await chain.mine();
      expect(await polled(both)).toBe(sat);
    },
  );

  it('show that a coin is gone, after a start too', async () => {
    await follower.fund(70_000);
    const next = begunAnew(follower, [listless(), honest()]);
    await next.sync.poll();
    await chain.reorg(1, { keepOut: true });
    expect(await polled(next)).toBe(0n);
  });

  it('show the pages that the first leaves out', async () => {
    const cut = saying('cut', (path) => (path.includes('/txs/chain/') ? body([]) : undefined));
    const both = new Follower({ sources: [cut, honest()] });
    const script = both.wallet.newScript('receive');
    for (let coin = 0; coin < 30; coin++) await chain.fund(addressOfScript(script, 'regtest') ?? '', 10_000);
    await chain.mine();
    both.watchList.registerScript(script);
    await both.sync.poll();
    expect(both.wallet.state.coins.length).toBe(30);
  });

  const lacking = (name: string, route: RegExp): EsploraApi =>
    saying(name, (path) => (route.test(path) ? new Response('not here', { status: 404 }) : undefined));

  it('suffice where each lacks another route', async () => {
    const both = new Follower({
      sources: [lacking('scriptless', /^\/(scripthash|address)\//), lacking('spendless', /outspend/)],
    });
    both.watchList.registerOutput(await follower.fund(100_000));
    both.watchList.registerScript(both.wallet.newScript('receive'));
    await both.sync.poll();
    await chain.mine();
    await both.sync.poll();
    expect(both.updates.map(({ best }) => best.height)).toEqual([chain.height - 1, chain.height]);
  });

  it('show a spending that one hides, though the other knows nothing of scripts', async () => {
    const hides = saying('hides', (path) => (path.includes('/outspend/') ? body({ spent: false }) : undefined));
    const both = new Follower({ sources: [hides, lacking('scriptless', /^\/(scripthash|address)\//)] });
    for (let script = 0; script < 10; script++) both.watchList.registerScript(both.wallet.newScript('receive'));
    both.watchList.registerOutput(await follower.fund(100_000));
    const { rawTx, txid } = paidFrom(follower.wallet, ELSEWHERE, 'all', terms);
    await follower.api.broadcast(rawTx);
    await chain.mine();
    await both.sync.poll();
    expect(both.confirmed).toEqual([`${chain.height}:${display(txid)}`]);
  });

  it.each([
    ['the same server', 1],
    ['another', 2],
  ])('show a payment in the mempool whose bytes come later, or from %s', async (_name, count) => {
    let isLate = true;
    const late = saying('late', (path) =>
      path.endsWith('/hex') && isLate ? new Response('Transaction not found', { status: 404 }) : undefined,
    );
    const both = new Follower({ sources: [late, honest()].slice(0, count) });
    await both.fundUnconfirmed(40_000);
    if (count === 1) expect(both.wallet.balance(0n, 0).unconfirmedSat).toBe(0n);
    isLate = count > 1;
    await both.sync.poll({ everything: true });
    expect(both.wallet.balance(0n, 0).unconfirmedSat).toBe(40_000n);
  });

  it('are heard once they have come to the tip', async () => {
    let isBehind = true;
    const [tip, height] = [chain.tip.hash, chain.height];
    const late = saying('late', (path) => {
      if (!isBehind || !path.startsWith('/blocks/tip/')) return undefined;
      return new Response(path.endsWith('hash') ? tip : String(height));
    });
    const both = new Follower({ sources: [hiding(), late] });
    const outpoint = await follower.fund(100_000);
    both.watchList.registerOutput(outpoint);
    const { rawTx, txid } = paidFrom(follower.wallet, ELSEWHERE, 'all', terms);
    await follower.api.broadcast(rawTx);
    await chain.mine();
    await both.sync.poll();
    expect([both.confirmed, both.sync.agreeing]).toEqual([[], 1]);
    // What is asked for meanwhile is not all that there is.
    isBehind = false;
    both.watchList.registerScript(both.wallet.newScript('receive'));
    await both.sync.poll();
    expect([both.confirmed, both.sync.agreeing]).toEqual([[], 1]);
    await both.sync.poll();
    expect([both.confirmed, both.sync.agreeing]).toEqual([[`${chain.height}:${display(txid)}`], 2]);
    const updates = both.updates.length;
    await both.sync.poll();
    expect(both.updates.length).toBe(updates);
  });

  it('hold nothing up where the first has answered', async () => {
    const timers: (() => void)[] = [];
    const platform: ChainPlatform = {
      ...workerPlatform,
      after: (_, callback) => {
        timers.push(callback);
        return () => undefined;
      },
    };
    const never = new Promise<Response>(() => undefined);
    const hanging = esploraAt('http://hanging.test', {
      ...workerPlatform,
      fetch: (url, init) =>
        url.includes('/outspend/')
          ? never
          : workerPlatform.fetch(url.replace('http://hanging.test', esplora.url), init),
    });
    const both = new Follower({ platform, sources: [esploraAt(esplora.url, workerPlatform), hanging] });
    both.watchList.registerOutput(await follower.fund(100_000));
    const polled = both.sync.poll();
    while (timers.length < 2) await new Promise((resolve) => setImmediate(resolve));
    timers[1]?.();
    await polled;
    expect([both.updates.length, both.sync.agreeing]).toEqual([1, 1]);
  });
});

describe('a source that fails often', () => {
  const ADDRESSES = 30;
  const scripts: Uint8Array[] = [];
  let calmRequests = 0;

  /** A wallet with its addresses used, that begins anew behind a server which fails with a chance. */
  function begun(failing: (url: string) => boolean): Follower & { readonly asked: string[] } {
    const asked: string[] = [];
    const platform: ChainPlatform = {
      ...workerPlatform,
      fetch: (url, init) => {
        asked.push(url);
        return failing(url) ? Promise.resolve(new Response('', { status: 503 })) : workerPlatform.fetch(url, init);
      },
    };
    const wallet = new OnchainWallet(secp, new Descriptors(seed.with(0, 255), 'regtest'));
    const late = new Follower({ platform, wallet });
    for (let address = 0; address < ADDRESSES; address++) late.watchList.registerScript(wallet.newScript('receive'));
    return Object.assign(late, { asked });
  }

  const attemptsOf = async (late: Follower): Promise<number> => {
    for (let attempts = 1; ; attempts++) {
      const isDone = await late.sync.poll().then(
        () => true,
        () => false,
      );
      if (isDone) return attempts;
      // Meanwhile there can be a block.
      if (attempts % 3 === 0) await chain.mine();
      if (attempts > 60) throw new Error('it never ends');
    }
  };

  beforeAll(async () => {
    const wallet = new OnchainWallet(secp, new Descriptors(seed.with(0, 255), 'regtest'));
    for (let address = 0; address < ADDRESSES; address++) scripts.push(wallet.newScript('receive'));
    for (const script of scripts) await chain.fund(addressOfScript(script, 'regtest') ?? '', 50_000);
    await chain.mine();
    const calm = begun(() => false);
    await attemptsOf(calm);
    calmRequests = calm.asked.length;
  });

  it.each([
    [1, 101, 4, 1.1],
    [2, 102, 5, 1.2],
    [5, 103, 6, 1.6],
    [20, 104, 40, 6],
  ])(
    'in %i of 100 requests (seed %i) is followed within %i attempts, by %f times the requests',
    async (per100, seed100, attempts, times) => {
      const random = randomOf(seed100);
      const late = begun(() => random(100) < per100);
      expect(await attemptsOf(late)).toBeLessThanOrEqual(attempts);
      expect(late.wallet.state.coins.length).toBe(ADDRESSES);
      expect(late.asked.length).toBeLessThan(calmRequests * times);
    },
  );

  it('proves each transaction once, whatever fails beside it', async () => {
    const random = randomOf(7);
    const late = begun((url) => !/merkle-proof|hex|txid/.test(url) && random(100) < 20);
    await attemptsOf(late);
    const proofs = late.asked.filter((url) => url.includes('merkle-proof'));
    expect(new Set(proofs).size).toBe(proofs.length);
  });
});

describe('a source of another kind', () => {
  /** The real server, with other routes or pages. */
  const changed = (change: (url: string) => string | undefined, page = 1_000): EsploraApi =>
    esploraAt(esplora.url, {
      ...workerPlatform,
      fetch: async (url, init) => {
        const other = change(url);
        if (other === undefined) return new Response('not found', { status: 404 });
        const response = await workerPlatform.fetch(other, init);
        if (!/scripthash.*txs/.test(url) || response.status !== 200) return response;
        const txs = (await response.json()) as readonly unknown[];
        // With one twice, as where the page of the mempool and that of the chain overlap.
        return new Response(JSON.stringify([...txs.slice(0, page), ...txs.slice(0, 1)]));
      },
    });

  it.each([3, 7, 10])('shows all transactions of a script, of which it has %i on a page', async (page) => {
    const late = new Follower({ sources: [changed((url) => url, page)] });
    const script = late.wallet.newScript('receive');
    for (let coin = 0; coin < 12; coin++) await chain.fund(addressOfScript(script, 'regtest') ?? '', 10_000);
    await chain.mine();
    late.watchList.registerScript(script);
    await late.sync.poll();
    expect(late.wallet.state.coins.length).toBe(12);
  });

  it('shows what spends an output, though it has no route for one alone', async () => {
    const asked: string[] = [];
    const without = changed((url) => (asked.push(url), url.includes('/outspend/') ? undefined : url));
    const late = new Follower({ sources: [without] });
    const outpoint = await follower.fund(100_000);
    const unknown = { txid: new Uint8Array(32).fill(3), vout: 0 };
    late.watchList.registerOutput(unknown);
    late.watchList.registerOutput(outpoint);
    await late.sync.poll();
    const { rawTx, txid } = paidFrom(follower.wallet, ELSEWHERE, 'all', terms);
    await follower.api.broadcast(rawTx);
    await chain.mine();
    asked.length = 0;
    await late.sync.poll();
    expect(late.confirmed).toEqual([`${chain.height}:${display(txid)}`]);
    expect(asked.filter((url) => url.includes('/outspend/'))).toEqual([]);
  });
});
