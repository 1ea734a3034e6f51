import type { ChainUpdate } from '../../../worker/edges/chain/chain-update.ts';
import { budgeted, REQUESTS_PER_10_S } from '../../../worker/edges/chain/request-budget.ts';
import { fromHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { decodeTransaction, transactionId } from '../../../worker/engine/transactions/transaction.ts';
import { Descriptors } from '../../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';
import { pick, type Random, randomOf } from '../../simulation/random.ts';
import type { RegtestChain } from '../../world/chain.ts';
import type { EsploraFlavour } from '../../world/esplora-flavours.ts';
import { EsploraServer } from '../../world/esplora.ts';
import { display, ELSEWHERE, INTERVAL_MS, walletOn, type FollowedWallet } from './followed-wallet.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { paidFrom } from '../../engine/wallet/paid.ts';

export interface DayOptions {
  readonly servers: readonly EsploraFlavour[];
  /** Of each server's requests. */
  readonly failsPer100: number;
  /** 144 are a day. */
  readonly blocks: number;
  readonly seed: number;
}

/** What a wallet was told in a day, and what that took. */
export interface DayReport {
  readonly servers: string;
  readonly failsPer100: number;
  readonly seed: number;
  readonly blocks: number;
  readonly reorganisations: number;
  readonly payments: number;
  readonly spendings: number;
  readonly requests: number;
  readonly requestsPerBlock: number;
  /** From a block to the update that tells of it; of those that were not the tip any more by then, nothing. */
  readonly syncSecondsMean: number;
  readonly syncSecondsMost: number;
  /** Told more than two polls after their block came. */
  readonly late: number;
  /** In a block at the end, and not told to be in that one. */
  readonly missed: number;
  /** Told twice to be in one block. */
  readonly repeated: number;
  /** Told to be in a block that they were never in. */
  readonly untrue: number;
}

const SPACING_MS = 600_000;
const HOUR_MS = 3_600_000;
const SCRIPTS = 20;
const CHANNELS_PER_BLOCK = 1 / 6;
const ONE_REORGANISATION_IN = 24;
const OUTPUT_SAT = 100_000;

/** Blocks at random times, payments and spendings between them, now and then a reorganisation: by a clock that does not wait. */
export async function simulateDay(chain: RegtestChain, account: number, options: DayOptions): Promise<DayReport> {
  const day = new Day(chain, account, options);
  await day.begin();
  for (let block = 0; block < options.blocks; block++) await day.pass();
  return day.end();
}

class Day {
  readonly #chain: RegtestChain;
  readonly #options: DayOptions;
  readonly #clock = new SimulatedClock(1_700_000_000_000);
  readonly #random: Random;
  readonly #servers: readonly EsploraServer[];
  readonly #wallet: FollowedWallet;
  readonly #scripts: readonly Uint8Array[];
  /** Each with an output that is watched. */
  readonly #channels: readonly OnchainWallet[];
  readonly #payments: string[] = [];
  readonly #spendings: string[] = [];
  /** By hash, when a block came. */
  readonly #blocks = new Map<string, number>();
  readonly #told: { readonly txid: string; readonly hash: string; readonly afterMs: number }[] = [];
  /** The block that is to be told of. */
  #newest: string | undefined;
  readonly #syncSeconds: number[] = [];
  #reorganisations = 0;

  constructor(chain: RegtestChain, account: number, options: DayOptions) {
    const { servers, failsPer100, seed, blocks } = options;
    this.#chain = chain;
    this.#options = options;
    this.#random = randomOf(seed);
    this.#servers = servers.map((flavour) => new EsploraServer(chain, { flavour: { ...flavour, failsPer100 }, seed }));
    const { wallet } = walletOn(chain, account, this.#clock, this.#servers, (platform) =>
      budgeted(platform, REQUESTS_PER_10_S),
    );
    this.#wallet = wallet;
    this.#wallet.onUpdate = (update) => this.#note(update);
    this.#scripts = Array.from({ length: SCRIPTS }, () => this.#wallet.newScript());
    this.#channels = Array.from({ length: Math.ceil(blocks * CHANNELS_PER_BLOCK) }, (_, index) => {
      const words = new Uint8Array(64).fill(account).fill(index, 32);
      return new OnchainWallet(secp, new Descriptors(words, 'regtest'));
    });
  }

  async begin(): Promise<void> {
    const outputs = this.#channels.map((channel) => ({ script: channel.newScript('receive'), sats: OUTPUT_SAT }));
    const funding = await this.#chain.submit(this.#chain.faucet.build(outputs));
    const { height } = await this.#chain.mine();
    const raw = this.#chain.find(funding)?.tx.toRaw().toString('hex') ?? '';
    for (const channel of this.#channels) {
      channel.transactionConfirmed(decodeTransaction(fromHex(raw)), height);
      channel.bestBlockUpdated(height);
      for (const { txid, vout } of channel.state.coins) this.#wallet.watchList.registerOutput({ txid, vout });
    }
    this.#wallet.sync.start();
    await this.#clock.run(HOUR_MS);
    for (const server of this.#servers) server.resetRequests();
  }

  /** The time up to a block, what happens in it, and the block. */
  async pass(): Promise<void> {
    const gapMs = Math.min(-Math.log((this.#random(10_000) + 1) / 10_001) * SPACING_MS, 6 * SPACING_MS);
    await this.#clock.run(gapMs / 2);
    for (let payments = this.#random(3); payments > 0; payments--) await this.#pay();
    if (this.#random(1 / CHANNELS_PER_BLOCK) === 0) await this.#spend();
    await this.#clock.run(gapMs / 2);
    if (this.#random(ONE_REORGANISATION_IN) === 0) {
      this.#reorganisations++;
      await this.#chain.reorg(1);
    } else await this.#chain.mine();
    this.#came();
  }

  /** One more block, and an hour. */
  async end(): Promise<DayReport> {
    await this.#chain.mine();
    this.#came();
    await this.#clock.run(HOUR_MS);
    this.#wallet.sync.stop();
    const { servers, failsPer100, seed, blocks } = this.#options;
    const requests = this.#servers
      .flatMap((server) => Object.values(server.requests))
      .reduce((sum, one) => sum + one, 0);
    const mean = this.#syncSeconds.reduce((sum, one) => sum + one, 0) / this.#syncSeconds.length;
    return {
      servers: servers.map(({ name }) => name).join(' + '),
      failsPer100,
      seed,
      blocks,
      reorganisations: this.#reorganisations,
      payments: this.#payments.length,
      spendings: this.#spendings.length,
      requests,
      requestsPerBlock: Math.round(requests / blocks),
      syncSecondsMean: Math.round(mean),
      syncSecondsMost: Math.round(Math.max(...this.#syncSeconds)),
      ...this.#verdict(),
    };
  }

  #verdict(): Pick<DayReport, 'late' | 'missed' | 'repeated' | 'untrue'> {
    const places = this.#told.map(({ txid, hash }) => `${txid}:${hash}`);
    // A reorganisation can take the parent of what waits in the mempool, and it with its parent.
    const inBlocks = [...this.#payments, ...this.#spendings].flatMap((txid) => {
      const block = this.#chain.find(txid)?.at?.block.hash;
      return block === undefined ? [] : `${txid}:${block}`;
    });
    return {
      late: this.#told.filter(({ afterMs }) => afterMs > 2 * INTERVAL_MS).length,
      missed: inBlocks.filter((place) => !places.includes(place)).length,
      repeated: places.length - new Set(places).size,
      untrue: this.#told.filter(({ txid, hash }) => this.#chain.index.block(hash)?.txids.includes(txid) !== true)
        .length,
    };
  }

  async #pay(): Promise<void> {
    const script = pick(this.#random, this.#scripts);
    if (script) this.#payments.push(await this.#wallet.pay(script, OUTPUT_SAT));
  }

  async #spend(): Promise<void> {
    const channel = this.#channels[this.#spendings.length];
    if (channel === undefined) return;
    const { rawTx, tx } = paidFrom(channel, ELSEWHERE, 'all', { feeratePerKw: 1000, reserveSat: 0n });
    await this.#chain.submit(rawTx);
    this.#spendings.push(display(transactionId(tx)));
  }

  #came(): void {
    this.#newest = this.#chain.tip.hash;
    this.#blocks.set(this.#newest, this.#clock.now());
  }

  #note({ confirmed, best }: ChainUpdate): void {
    for (const { header, txs } of confirmed) {
      const afterMs = this.#since(header.hash);
      for (const { txid } of txs) this.#told.push({ txid: display(txid), hash: header.hash, afterMs });
    }
    if (best.header.hash !== this.#newest) return;
    this.#syncSeconds.push(this.#since(this.#newest) / 1000);
    this.#newest = undefined;
  }

  #since(hash: string): number {
    return this.#clock.now() - (this.#blocks.get(hash) ?? this.#clock.now());
  }
}
