import { describe, expect, it } from 'vitest';
import funding from '../vectors/bolt03-funding-tx.json' with { type: 'json' };
import { ChainFollower } from '../../worker/client/chain-follower.ts';
import { configuredChain } from '../../worker/client/configured-chain.ts';
import { HeaderStore } from '../../worker/client/header-store.ts';
import { WatchList } from '../../worker/edges/chain/watch-list.ts';
import { fromHex, toHex } from '../../worker/engine/primitives/bytes.ts';
import { decodeTransaction, encodeTransaction } from '../../worker/engine/transactions/transaction.ts';
import type { PaidWeight } from '../../worker/engine/wallet/coin.ts';
import type { ChainPlatform } from '../../worker/edges/chain/platform.ts';
import { platformTimers } from '../../worker/edges/transport/timers.ts';
import { FakePlatform, type Answer } from '../edges/chain/fake-platform.ts';

const REGTEST = configuredChain({ network: 'regtest' });
const TRANSACTIONS = [1, 2, 3].map((locktime) =>
  encodeTransaction({ ...decodeTransaction(fromHex(funding.funding_tx_hex)), locktime }),
);

const FIRST = 'http://first.test';

/** A follower of two servers that has not started. */
const followerOf = (fetch: ChainPlatform['fetch']): ChainFollower =>
  new ChainFollower({
    network: 'regtest',
    parameters: REGTEST,
    esploraUrls: [FIRST, 'http://second.test'],
    requestsPer10s: undefined,
    platform: {
      fetch,
      connectWebSocket: () => {
        throw new Error('no network');
      },
      entropy: { getSecureRandomBytes: () => new Uint8Array(32) },
      timers: { ...platformTimers, setTimeout: () => undefined },
      storage: {},
      soon: (callback) => void setImmediate(callback),
    },
    watchList: new WatchList(),
    headers: new HeaderStore(REGTEST, new Map(), 0, () => undefined),
    storedFeerates: undefined,
    onUpdate: () => undefined,
    onHeaders: () => undefined,
    onChannelsKnown: () => undefined,
    onSynced: () => undefined,
    onStatus: () => undefined,
    onStanding: () => undefined,
    onFeerates: () => undefined,
    log: () => undefined,
  });

/** What a second server gets where the first answers so. */
async function heard(first: Answer): Promise<readonly unknown[]> {
  const bodies: unknown[] = [];
  const platform = new FakePlatform(() => ({ body: 'accepted' }));
  const follower = followerOf((url, init) => {
    if (url.startsWith(FIRST)) return new FakePlatform(() => first).fetch(url, init);
    bodies.push(init?.body);
    return platform.fetch(url, init);
  });
  for (const transaction of TRANSACTIONS) follower.broadcast([transaction]);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  return bodies;
}

it.each(['hang', 'drop', { status: 502, body: '' }] as const)(
  'what is broadcast reaches every server in order, also where another answers with %s',
  async (first) => {
    expect(await heard(first)).toEqual(TRANSACTIONS.map(toHex));
  },
);

describe('what a transaction has paid', () => {
  const honest = { weight: 561, fee: 282 };
  const paidBy = (first: object, second: object = honest): Promise<PaidWeight> =>
    followerOf((url, init) => {
      const body = JSON.stringify(url.startsWith(FIRST) ? first : second);
      return new FakePlatform(() => ({ body })).fetch(url, init);
    }).paidBy('ab'.repeat(32));

  it.each([
    ['heavier than it is', { weight: 4_000_000, fee: 282 }],
    ['heavier, and to have paid a little more', { weight: 4_000_000, fee: 283 }],
    ['to have paid nothing', { weight: 561, fee: 0 }],
  ])('makes nobody pay more where one of two servers says it is %s', async (_name, lie) => {
    const { weight, feeSat } = await paidBy(lie);
    expect(weight).toBe(561);
    expect(feeSat).toBeGreaterThanOrEqual(282n);
    expect(await paidBy(honest, lie)).toEqual({ weight, feeSat });
  });
});
