import { ChainSync } from '../../../worker/edges/chain/chain-sync.ts';
import type { ChainUpdate } from '../../../worker/edges/chain/chain-update.ts';
import type { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import type { ChainPlatform } from '../../../worker/edges/chain/platform.ts';
import { WatchList } from '../../../worker/edges/chain/watch-list.ts';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { transactionId, type Outpoint } from '../../../worker/engine/transactions/transaction.ts';
import { addressOfScript } from '../../../worker/engine/wallet/address.ts';
import { Descriptors } from '../../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';
import type { RegtestChain } from '../../world/chain.ts';
import { fetchFrom } from '../../world/esplora-fetch.ts';
import type { EsploraServer } from '../../world/esplora.ts';
import { esploraAt } from './esplora-at.ts';
import { regtestChain } from './regtest-headers.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import { syncOf } from './sync-of.ts';

const seed = mnemonicSeed('abandon '.repeat(11) + 'about');
export const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

/** How often the servers are asked for their tip. */
export const INTERVAL_MS = 30_000;

/** A block's transaction as it was told, and the tip that it was told with. */
export interface Told {
  readonly txid: string;
  readonly height: number;
  readonly atTip: number;
}

/** A wallet of its own that follows the chain from its tip. */
export class FollowedWallet {
  readonly updates: ChainUpdate[] = [];
  /** How the polls went that are over: undefined after a success. */
  readonly statuses: (GlowwormError | undefined)[] = [];
  readonly watchList: WatchList = new WatchList();
  readonly wallet: OnchainWallet;
  readonly sync: ChainSync;
  onUpdate: (update: ChainUpdate) => void = () => undefined;
  readonly #chain: RegtestChain;

  /** `account` tells wallets on the same chain apart. */
  constructor(
    chain: RegtestChain,
    account: number,
    { sources, platform }: { sources: readonly EsploraApi[]; platform: ChainPlatform },
  ) {
    this.#chain = chain;
    this.wallet = new OnchainWallet(secp, new Descriptors(seed.with(0, account), 'regtest'));
    this.sync = syncOf({
      sources,
      platform,
      headers: regtestChain(chain.tip.header, chain.height),
      watchList: this.watchList,
      onUpdate: (update) => this.#apply(update),
      onPolled: (outcome) => this.statuses.push(outcome.kind === 'complete' ? undefined : outcome.problem),
      intervalMs: INTERVAL_MS,
    });
  }

  /** A script that is watched. */
  newScript(): Uint8Array {
    const script = this.wallet.newScript('receive');
    this.watchList.registerScript(script);
    return script;
  }

  /** The faucet pays to a script; the transaction waits in the mempool. */
  pay(script: Uint8Array, amountSat: number): Promise<string> {
    return this.#chain.fund(addressOfScript(script, 'regtest') ?? '', amountSat);
  }

  /** A coin that is confirmed with the next block, once it was followed. */
  coinOf(txid: string): Outpoint {
    const coin = this.wallet.state.coins.find((candidate) => display(candidate.txid) === txid);
    if (coin === undefined) throw new Error(`there is no coin of ${txid}`);
    return { txid: coin.txid, vout: coin.vout };
  }

  /** All that was told to be in blocks, in order. */
  get told(): readonly Told[] {
    return this.updates.flatMap(({ confirmed, best }) =>
      confirmed.flatMap(({ height, txs }) =>
        txs.map(({ txid }) => ({ txid: display(txid), height, atTip: best.height })),
      ),
    );
  }

  /** What spends watched outputs in the mempool. */
  get spending(): readonly string[] {
    return this.updates.flatMap(({ spending }) => spending.map((tx) => display(transactionId(tx))));
  }

  #apply(update: ChainUpdate): void {
    this.updates.push(update);
    takeIn(this.wallet, update);
    this.onUpdate(update);
  }
}

/** A wallet that follows servers by a simulated clock, each through what `between` puts before it. */
export function walletOn(
  chain: RegtestChain,
  account: number,
  clock: SimulatedClock,
  servers: readonly EsploraServer[],
  between: (platform: ChainPlatform) => ChainPlatform = (platform) => platform,
): { readonly sources: readonly EsploraApi[]; readonly wallet: FollowedWallet } {
  const sources = servers.map((server, index) =>
    esploraAt(`http://${index}.test`, between(clock.platform(fetchFrom(server, clock.after)))),
  );
  const platform = clock.platform(() => Promise.reject(new TypeError('only servers are asked')));
  return { sources, wallet: new FollowedWallet(chain, account, { sources, platform }) };
}

/** What a wallet learns of an update. */
export function takeIn(wallet: OnchainWallet, update: ChainUpdate): void {
  for (const txid of update.unconfirmed) wallet.transactionUnconfirmed(txid);
  for (const { height, txs } of update.confirmed)
    for (const { transaction } of txs) wallet.transactionConfirmed(transaction, height);
  wallet.bestBlockUpdated(update.best.height);
  for (const txid of update.dropped) wallet.transactionDropped(txid);
  for (const transaction of update.mempool) wallet.transactionSeen(transaction);
}

export const display = (txid: Uint8Array): string => toHex(reversed(txid));
