import { expect, it } from 'vitest';
import funding from '../vectors/bolt03-funding-tx.json' with { type: 'json' };
import { ChainFollower } from '../../worker/client/chain-follower.ts';
import { configuredChain } from '../../worker/client/configured-chain.ts';
import { HeaderStore } from '../../worker/client/header-store.ts';
import { WatchList } from '../../worker/edges/chain/watch-list.ts';
import { fromHex, toHex } from '../../worker/engine/primitives/bytes.ts';
import { decodeTransaction, encodeTransaction } from '../../worker/engine/transactions/transaction.ts';
import { platformTimers } from '../../worker/edges/transport/timers.ts';
import { FakePlatform, type Answer } from '../edges/chain/fake-platform.ts';

const REGTEST = configuredChain({ network: 'regtest' });
const TRANSACTIONS = [1, 2, 3].map((locktime) =>
  encodeTransaction({ ...decodeTransaction(fromHex(funding.funding_tx_hex)), locktime }),
);

/** What a second server gets where the first answers so. */
async function heard(first: Answer): Promise<readonly unknown[]> {
  const bodies: unknown[] = [];
  const platform = new FakePlatform(() => ({ body: 'accepted' }));
  const follower = new ChainFollower({
    network: 'regtest',
    parameters: REGTEST,
    esploraUrls: ['http://first.test', 'http://second.test'],
    requestsPer10s: undefined,
    platform: {
      fetch: (url, init) => {
        if (url.startsWith('http://first.test')) return new FakePlatform(() => first).fetch(url, init);
        bodies.push(init?.body);
        return platform.fetch(url, init);
      },
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
