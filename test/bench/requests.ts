import type { ToldTip } from '../../worker/edges/chain/chain-sync.ts';
import { workerPlatform } from '../../worker/edges/chain/platform.ts';
import { WatchList } from '../../worker/edges/chain/watch-list.ts';
import { WatchedScripts } from '../../worker/client/watched-scripts.ts';
import { mnemonicSeed } from '../../worker/engine/keys/mnemonic.ts';
import { nobleSecp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import { decodeTransaction, transactionId, type Outpoint } from '../../worker/engine/transactions/transaction.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';
import { regtestChain } from '../edges/chain/regtest-headers.ts';
import { RegtestChain } from '../world/chain.ts';
import { EsploraServer } from '../world/esplora.ts';
import { esploraAt } from '../edges/chain/esplora-at.ts';
import { syncOf } from '../edges/chain/sync-of.ts';

/**
 * Counts the requests to one server: `{ addresses, channels, perBlock, perStart, perCatchUp }`, a JSON line each. All addresses were
 * used, and hold a coin; all channels are open. Nothing happens to either in the block, since the last run, and in 2,016 blocks.
 */
const SIZES: readonly (readonly [addresses: number, channels: number])[] = [
  [1, 0],
  [10, 0],
  [60, 0],
  [100, 0],
  [1, 1],
  [1, 10],
  [1, 100],
  [100, 100],
];
const CATCH_UP = 2_016;
/** Pay to a witness script hash, as fundings do. */
const FUNDING_SCRIPT = Uint8Array.of(0, 32, ...new Uint8Array(32).fill(1));

const chain = await RegtestChain.start();
const server = new EsploraServer(chain);
await server.listen();
try {
  const rows = [];
  for (const [account, [addresses, channels]] of SIZES.entries()) {
    const first = await setUp(account, addresses, channels);
    await first.poll();
    await chain.mine();
    const perBlock = await requestsOf(first);
    const next = first.restarted();
    const perStart = await requestsOf(next);
    rows.push({ addresses, channels, perBlock, perStart, session: next });
  }
  await chain.mine(CATCH_UP);
  for (const { session, ...row } of rows)
    console.log(JSON.stringify({ ...row, perCatchUp: await requestsOf(session) }));
} finally {
  await server.stop();
  await chain.stop();
}

/** A wallet as it follows the chain, from a start to the next. */
interface Session {
  /** Once, to its end. */
  poll(): Promise<void>;
  restarted(): Session;
}

function sessionOf(wallet: OnchainWallet, channels: readonly Outpoint[], told: ToldTip): Session {
  const watchList = new WatchList();
  const scripts = new WatchedScripts({
    wallet,
    watchList,
    entropy: { getSecureRandomBytes: () => crypto.getRandomValues(new Uint8Array(32)) },
    others: [],
    contested: () => [],
    isHeardOut: () => true,
    isSearching: false,
  });
  const sync = syncOf({
    sources: [esploraAt(server.url, workerPlatform)],
    platform: workerPlatform,
    headers: told.headers,
    told,
    watchList,
    onUpdate: ({ confirmed, best }) => {
      for (const { height, txs } of confirmed)
        for (const { transaction } of txs) wallet.transactionConfirmed(transaction, height);
      wallet.bestBlockUpdated(best.height);
      scripts.confirmed(confirmed.flatMap(({ txs }) => txs.map(({ txid }) => txid)));
      scripts.changed();
    },
  });
  scripts.start();
  for (const outpoint of channels) {
    watchList.registerTx(outpoint.txid);
    watchList.knowTx(outpoint.txid, told.height);
    watchList.registerOutput(outpoint);
  }
  return {
    poll: async () => {
      await sync.poll();
      scripts.synced();
    },
    restarted: () => sessionOf(wallet, channels, { headers: sync.headers, height: sync.headers.tip.height }),
  };
}

async function setUp(account: number, addresses: number, channels: number): Promise<Session> {
  const seed = mnemonicSeed('abandon '.repeat(11) + 'about').with(0, account);
  const wallet = new OnchainWallet(nobleSecp256k1, new Descriptors(seed, 'regtest'));
  const outputs: Outpoint[] = [];
  const paid: Uint8Array[] = [];
  for (let index = 0; index < addresses; index++) paid.push(await pay(wallet.newScript('receive')));
  for (let index = 0; index < channels; index++)
    outputs.push({ txid: transactionId(decodeTransaction(await pay(FUNDING_SCRIPT))), vout: 0 });
  await chain.mine();
  for (const rawTx of paid) wallet.transactionConfirmed(decodeTransaction(rawTx), chain.height);
  // The newest that nobody has paid to yet.
  wallet.newScript('receive');
  const headers = regtestChain(chain.tip.header, chain.height);
  return sessionOf(wallet, outputs, { headers, height: chain.height });
}

/** Puts a payment into the mempool, its first output, and gives its bytes. */
async function pay(script: Uint8Array): Promise<Uint8Array> {
  const rawTx = chain.faucet.build([{ script: Buffer.from(script), sats: 10_000 }]);
  await chain.submit(rawTx);
  return rawTx;
}

async function requestsOf(session: Session): Promise<number> {
  server.resetRequests();
  await session.poll();
  return Object.values(server.requests).reduce((sum, count) => sum + count, 0);
}
