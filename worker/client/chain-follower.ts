import type { ChainParameters } from '../edges/chain/chain-parameters.ts';
import { badReply } from '../edges/chain/chain-source-error.ts';
import { ChainSync, type PollOutcome } from '../edges/chain/chain-sync.ts';
import type { ChainUpdate } from '../edges/chain/chain-update.ts';
import { Broadcaster, type BroadcastResult } from '../edges/chain/broadcaster.ts';
import { Propagation, type Standing } from '../edges/chain/propagation.ts';
import { EsploraApi } from '../edges/chain/esplora-api.ts';
import { REQUEST_TIMEOUT_MS } from '../edges/chain/esplora-http.ts';
import { FeeEstimator, refreshFees } from '../edges/chain/fee-estimator.ts';
import { HeaderChain } from '../edges/chain/header-chain.ts';
import type { ChainPlatform } from '../edges/chain/platform.ts';
import { budgeted, REQUESTS_PER_10_S } from '../edges/chain/request-budget.ts';
import { WatchList } from '../edges/chain/watch-list.ts';
import { reversed, toHex } from '../engine/primitives/bytes.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import { decodeTransaction, transactionId } from '../engine/transactions/transaction.ts';
import type { Network } from '../engine/primitives/network.ts';
import type { StoreWrites } from '../engine/primitives/store.ts';
import type { TransactionPackage } from '../engine/transactions/transaction-package.ts';
import type { PaidWeight } from '../engine/wallet/coin.ts';
import type { ChannelFeerates } from '../engine/channel/channel-env.ts';
import { toApiError } from './api-error.ts';
import { FeeratePolicy, type FeerateMemories } from './feerate-policy.ts';
import type { ApiError, ChainStatus } from './api.ts';
import type { HeaderStore } from './header-store.ts';
import { TipAge, type Staleness } from './tip-age.ts';
import type { WalletPlatform } from './platform.ts';

export interface ChainFollowerParts {
  readonly network: Network;
  readonly parameters: ChainParameters;
  readonly esploraUrls: readonly string[];
  /** To each server; one on this machine counts none. */
  readonly requestsPer10s: number | undefined;
  readonly platform: WalletPlatform;
  readonly watchList: WatchList;
  readonly headers: HeaderStore;
  /** What `onFeerates` told last, if anything. */
  readonly storedFeerates: FeerateMemories | undefined;
  /** With what is to be stored of the headers in the same write. */
  readonly onUpdate: (update: ChainUpdate, writes: StoreWrites) => void;
  /** A long way to the tip: what is to be stored of it, so that a restart does not begin anew. */
  readonly onHeaders: (writes: StoreWrites) => void;
  /** All that is in channels is known at the tip: everything else may be still to come. */
  readonly onChannelsKnown: () => void;
  /** A poll has completed: everything registered was asked for. */
  readonly onSynced: () => void;
  readonly onStatus: () => void;
  /** How far something that was broadcast has got, by the id that explorers show. */
  readonly onStanding: (txid: string, standing: Standing) => void;
  /** New estimates, and what is to be remembered of them. */
  readonly onFeerates: (feerates: ChannelFeerates, memories: FeerateMemories | undefined) => void;
  readonly log: (line: string) => void;
}

const RETRY_MS = 3_000;
/** So many headers are got before they are stored, on a long way to the tip. */
const WRITE_EVERY = 512;

const isOwn = (url: string): boolean => /^(127\.0\.0\.1|localhost|\[::1\])$/.test(new URL(url).hostname);

/** Keeps up with the chain: sync, fees and broadcasting over the configured servers. */
export class ChainFollower {
  readonly #parts: ChainFollowerParts;
  readonly #platform: ChainPlatform;
  readonly #sources: readonly EsploraApi[];
  readonly #fees: FeeEstimator = new FeeEstimator();
  readonly #policy: FeeratePolicy;
  readonly #broadcaster: Broadcaster;
  readonly #propagation: Propagation;
  readonly #tipAge: TipAge;
  #sync: ChainSync | undefined;
  #status: ChainStatus;
  /** Since the newest status was noted. */
  #knowsChannels = false;
  #stopped = false;

  constructor(parts: ChainFollowerParts) {
    const { timers, fetch } = parts.platform;
    this.#parts = parts;
    this.#platform = {
      fetch,
      now: () => timers.now(),
      after: (delayMs, callback) => {
        const timer = timers.setTimeout(callback, delayMs);
        return () => timers.clearTimeout(timer);
      },
    };
    const { esploraUrls, network, requestsPer10s = REQUESTS_PER_10_S } = parts;
    const options = { network, timeoutMs: REQUEST_TIMEOUT_MS };
    this.#sources = esploraUrls.map(
      (url) => new EsploraApi(url, isOwn(url) ? this.#platform : budgeted(this.#platform, requestsPer10s), options),
    );
    this.#broadcaster = new Broadcaster(this.#sources, this.#platform.now);
    this.#tipAge = new TipAge(parts.parameters.rules);
    this.#propagation = new Propagation({
      sources: this.#sources,
      broadcaster: this.#broadcaster,
      platform: this.#platform,
      onChange: parts.onStanding,
    });
    this.#policy = new FeeratePolicy(this.#fees, parts.storedFeerates);
    this.#status = { kind: 'connecting', blockHeight: parts.headers.toldHeight };
  }

  get status(): ChainStatus {
    const { unseen } = this.#propagation;
    const { staleness: stale } = this;
    return {
      ...this.#status,
      ...(stale === undefined ? {} : { stale }),
      ...(unseen === 0 ? {} : { unseen }),
    };
  }

  /** Whether all that is in channels is known at the newest block that servers show. */
  get knowsChannels(): boolean {
    return this.#knowsChannels;
  }

  /** Whether the newest block is older than it should be. */
  get staleness(): Staleness | undefined {
    return this.#tipAge.staleness(this.#platform.now());
  }

  /** Whether every server that answers has said all that it has to say of what is watched. */
  get isHeardOut(): boolean {
    return this.#sync?.isHeardOut ?? false;
  }

  get feerates(): ChannelFeerates {
    return this.#policy.feerates;
  }

  /** No server has told fee estimates for an hour, or ever in this run. */
  get feeratesAreStale(): boolean {
    return this.#fees.isStale(this.#platform.now());
  }

  /** Asks for fee estimates, which `onFeerates` tells. */
  async refreshFees(): Promise<void> {
    try {
      await refreshFees(this.#fees, this.#sources, this.#platform);
      this.#policy.updated(this.#platform.now());
      // An answer without an estimate is none: what was known, or guessed, before stands.
      if (!this.#stopped && this.#fees.isKnown) this.#parts.onFeerates(this.feerates, this.#policy.memories);
    } catch (error) {
      this.#parts.log(`fee estimates: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  start(): void {
    void this.#start();
  }

  stop(): void {
    this.#stopped = true;
    this.#broadcaster.stop();
    this.#propagation.stop();
    this.#sync?.stop();
  }

  /** Looks now, in the mempool too. */
  wake(): void {
    this.#sync?.wake();
  }

  /** How far something has got that was broadcast in this run, by the id that explorers show. */
  standing(txid: string): Standing | undefined {
    return this.#propagation.standing(txid);
  }

  /**
   * What a transaction weighs and has paid: of what servers say the least weight and the most fee, for a lie makes its owner pay less
   * then, not more. Rejects with the error of the last server where none knows it.
   */
  async paidBy(txid: string): Promise<PaidWeight> {
    const answers = await Promise.allSettled(this.#sources.map((source) => source.paid(txid)));
    const told = answers.flatMap((each) => (each.status === 'fulfilled' ? (each.value ?? []) : []));
    const [lightest] = told.toSorted((one, other) => one.weight - other.weight);
    const [dearest] = told.toSorted((one, other) => Number(other.feeSat - one.feeSat));
    if (lightest !== undefined && dearest !== undefined) return { weight: lightest.weight, feeSat: dearest.feeSat };
    const failed = answers.findLast((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    throw new GlowwormError('PaymentUnknown', 'No server knows this payment. Try again later.', { txid });
  }

  /** Each server gets them one after the other, and again until another shows it: see `Broadcaster` and `Propagation`. */
  broadcast(transactions: TransactionPackage): void {
    void this.#broadcast(transactions).catch((error: unknown) => this.#parts.log(`broadcast: ${String(error)}`));
  }

  /** Time passes: what no other server shows yet is looked for, and sent again. To be called about once a second. */
  rebroadcast(): void {
    this.#propagation.rebroadcast();
  }

  /** What is still wanted is broadcast again with every block by whoever wants it. */
  async #broadcast(transactions: TransactionPackage): Promise<void> {
    if (this.#stopped) return;
    const outcomes = await this.#propagation.broadcast(transactions);
    if (this.#stopped) return;
    transactions.forEach((transaction, index) => this.#logBroadcast(transaction, outcomes[index]?.result));
    // Not a `wake`, which would begin a server's waiting times anew.
    await this.#sync?.poll({ everything: true }).catch(() => undefined);
  }

  #logBroadcast(transaction: Uint8Array, result: BroadcastResult | undefined): void {
    const txid = toHex(reversed(transactionId(decodeTransaction(transaction))));
    const words = result?.kind === 'rejected' ? `${result.kind}: ${result.words}` : result?.kind;
    this.#parts.log(`broadcast ${txid.slice(0, 12)} ${words}`);
  }

  async #start(): Promise<void> {
    while (!this.#stopped && this.#sync === undefined) {
      try {
        const headers = this.#parts.headers.chain ?? (await this.#checkpoint());
        if (this.#stopped) return;
        this.#sync = this.#syncFrom(headers);
        this.#setStatus({ kind: 'syncing', blockHeight: this.#status.blockHeight });
        this.#sync.start();
      } catch (error) {
        this.#failed(error);
        await new Promise<void>((resolve) => this.#platform.after(RETRY_MS, resolve));
      }
    }
  }

  #syncFrom(headers: HeaderChain): ChainSync {
    return new ChainSync({
      sources: this.#sources,
      platform: this.#platform,
      headers,
      oldHeaders: this.#parts.headers.old,
      told: this.#parts.headers.told,
      watchList: this.#parts.watchList,
      intervalMs: this.#parts.parameters.pollMs,
      onHeaders: (best) => {
        const { headers: store, onHeaders } = this.#parts;
        if (store.unwritten(best) < WRITE_EVERY) return;
        onHeaders(store.write(best));
        this.#setStatus({ kind: 'syncing', blockHeight: this.#status.blockHeight, headerHeight: best.tip.height });
      },
      onUpdate: (update) => {
        for (const { txs } of update.confirmed)
          for (const { txid } of txs) this.#propagation.forget(toHex(reversed(txid)));
        this.#note({ kind: 'syncing', blockHeight: update.best.height });
        this.#parts.onUpdate(update, this.#parts.headers.tell(this.#sync?.headers ?? headers));
      },
      onPolled: (outcome) => this.#polled(outcome),
    });
  }

  #polled(outcome: PollOutcome): void {
    if (outcome.kind === 'failed') return this.#failed(outcome.problem);
    this.#noteTip();
    const { blockHeight } = this.#status;
    const servers = { agreeing: this.#sync?.agreeing ?? 0, of: this.#sources.length };
    if (outcome.kind === 'complete') this.#setStatus({ kind: 'synced', blockHeight, servers });
    else this.#setStatus({ kind: 'syncing', blockHeight, problem: this.#logged(outcome.problem) });
    this.#knowsChannels = true;
    this.#parts.onChannelsKnown();
    if (outcome.kind === 'complete') this.#parts.onSynced();
  }

  #noteTip(): void {
    const header = this.#sync?.headers.tip.header;
    if (header !== undefined) this.#tipAge.heard(header.hash, header.time * 1_000, this.#platform.now());
  }

  /** The chain of a new wallet. A server of another network does not have its first block. */
  async #checkpoint(): Promise<HeaderChain> {
    const { rules, checkpoint } = this.#parts.parameters;
    let problem: unknown = new GlowwormError('ChainSourceUnavailable', 'No Esplora server is configured.');
    for (const source of this.#sources) {
      try {
        const header = await source.header(checkpoint.hash);
        if (header === undefined) throw badReply(source.baseUrl, `no block ${checkpoint.height} of this network`);
        return HeaderChain.from(rules, { height: checkpoint.height, headers: [header.raw] });
      } catch (error) {
        problem = error;
      }
    }
    throw problem;
  }

  #failed(error: unknown): void {
    this.#setStatus({ kind: 'unreachable', blockHeight: this.#status.blockHeight, problem: this.#logged(error) });
  }

  #logged(error: unknown): ApiError {
    const problem = toApiError(error);
    this.#parts.log(`chain source: ${problem.code} ${problem.message}`);
    return problem;
  }

  #note(status: ChainStatus): void {
    this.#status = status;
    this.#knowsChannels = false;
  }

  #setStatus(status: ChainStatus): void {
    this.#note(status);
    this.#parts.onStatus();
  }
}
