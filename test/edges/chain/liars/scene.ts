import type { EsploraApi } from '../../../../worker/edges/chain/esplora-api.ts';
import type { ChainPlatform } from '../../../../worker/edges/chain/platform.ts';
import { fromHex } from '../../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import {
  decodeTransaction,
  transactionId,
  type Outpoint,
  type Transaction,
} from '../../../../worker/engine/transactions/transaction.ts';
import { addressOfScript } from '../../../../worker/engine/wallet/address.ts';
import { Descriptors } from '../../../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../../../worker/engine/wallet/wallet.ts';
import type { RegtestChain } from '../../../world/chain.ts';
import { fetchFrom } from '../../../world/esplora-fetch.ts';
import { EsploraServer } from '../../../world/esplora.ts';
import { display, ELSEWHERE, FollowedWallet, type Told } from '../followed-wallet.ts';
import { SimulatedClock } from '../simulated-clock.ts';
import { esploraAt } from '../esplora-at.ts';
import { paidFrom } from '../../../engine/wallet/paid.ts';

/** How a server that lies answers a request; `ask` has the truth. */
export type Tell = (path: string, ask: (path: string) => Promise<Response>, init?: RequestInit) => Promise<Response>;

/** Who is asked, in order. */
export type Company = 'alone' | 'before an honest one' | 'after an honest one';

const MINUTE_MS = 60_000;
/** Within it every server has had its time, and those that failed are asked again. */
const A_WHILE_MS = 10 * MINUTE_MS;

/**
 * A wallet with a coin, which watches an output as that of a channel, and is told of both by a server that begins to lie. Then the
 * output is spent and the wallet is paid, in one block.
 */
export class LyingScene {
  readonly chain: RegtestChain;
  readonly clock: SimulatedClock = new SimulatedClock(1_700_000_000_000);
  readonly victim: FollowedWallet;
  /** Where all payments go. */
  readonly script: Uint8Array;
  readonly #sources: readonly EsploraApi[];
  readonly #payer: OnchainWallet;
  #watched: Outpoint | undefined;
  #tell: Tell | undefined;
  #lies = 0;
  /** The ids of the transactions that concern the wallet. */
  readonly #true = new Set<string>();
  #paidSat = 0;

  constructor(chain: RegtestChain, company: Company, account: number) {
    this.chain = chain;
    const truth = fetchFrom(new EsploraServer(chain), this.clock.after);
    const lying: ChainPlatform['fetch'] = async (url, init) => {
      let asked: Response | undefined;
      const ask = async (path: string): Promise<Response> => (asked = await truth(`http://liar.test${path}`, init));
      const path = url.slice('http://liar.test'.length);
      // One that is not answered is a lie until it is given up.
      this.#lies++;
      const answer = await (this.#tell?.(path, ask, init) ?? ask(path));
      if (answer === asked) this.#lies--;
      return answer;
    };
    const liar = esploraAt('http://liar.test', this.clock.platform(lying));
    const honest = esploraAt('http://honest.test', this.clock.platform(truth));
    this.#sources = { alone: [liar], 'before an honest one': [liar, honest], 'after an honest one': [honest, liar] }[
      company
    ];
    const platform = this.clock.platform(truth);
    this.victim = new FollowedWallet(chain, account, { sources: this.#sources, platform });
    this.script = this.victim.newScript();
    const seed = new Uint8Array(64).fill(account);
    this.#payer = new OnchainWallet(secp, new Descriptors(seed, 'regtest'));
  }

  get sources(): readonly EsploraApi[] {
    return this.#sources;
  }

  get watched(): Outpoint {
    if (this.#watched === undefined) throw new Error('nothing is watched yet');
    return this.#watched;
  }

  /** How many answers were not the truth. */
  get lies(): number {
    return this.#lies;
  }

  /** All of it is known before anybody lies. */
  async begin(): Promise<void> {
    const funding = await this.chain.fund(addressOfScript(this.#payer.newScript('receive'), 'regtest') ?? '', 500_000);
    await this.#pay(70_000);
    const { height } = await this.chain.mine();
    this.#payer.transactionConfirmed(this.#transaction(funding), height);
    this.#payer.bestBlockUpdated(height);
    const [coin] = this.#payer.state.coins;
    if (coin === undefined) throw new Error('the payer has its coin');
    this.#watched = { txid: coin.txid, vout: coin.vout };
    this.victim.watchList.registerOutput(this.#watched);
    this.victim.sync.start();
    await this.clock.run(A_WHILE_MS);
  }

  lie(tell: Tell | undefined): void {
    this.#tell = tell;
  }

  /** What happens while a server lies: in the mempool, in a block, and one block later. */
  async go(): Promise<void> {
    const { rawTx, tx } = paidFrom(this.#payer, ELSEWHERE, 'all', { feeratePerKw: 1000, reserveSat: 0n });
    await this.chain.submit(rawTx);
    this.#true.add(display(transactionId(tx)));
    await this.#pay(30_000);
    this.victim.sync.wake();
    await this.clock.run(MINUTE_MS);
    await this.chain.mine();
    await this.clock.run(A_WHILE_MS);
    await this.chain.mine();
    await this.clock.run(A_WHILE_MS);
  }

  /** Once more, and with what is in one block more. */
  async goOn(): Promise<void> {
    await this.chain.mine();
    await this.clock.run(A_WHILE_MS);
  }

  /** What was told to be in blocks and is not. */
  get untrue(): readonly Told[] {
    return this.victim.told.filter(({ txid, height }) => this.chain.find(txid)?.at?.block.height !== height);
  }

  /** What concerns the wallet, is in a block, and was not told once. */
  get missed(): readonly string[] {
    return [...this.#true].filter((txid) => this.victim.told.filter((told) => told.txid === txid).length !== 1);
  }

  /** Tips that were told of and are no blocks of the chain. */
  get untrueTips(): readonly number[] {
    const tips = this.victim.updates.map(({ best }) => best);
    return tips.flatMap(({ height, header }) => (this.chain.index.blockAt(height)?.hash === header.hash ? [] : height));
  }

  /** Confirmed coins that the wallet has by now, and those that it should have. */
  get balances(): readonly [bigint, bigint] {
    return [this.victim.wallet.balance(0n, 0).confirmedSat, BigInt(this.#paidSat)];
  }

  async #pay(amountSat: number): Promise<void> {
    this.#paidSat += amountSat;
    this.#true.add(await this.victim.pay(this.script, amountSat));
  }

  #transaction(txid: string): Transaction {
    return decodeTransaction(fromHex(this.chain.find(txid)?.tx.toRaw().toString('hex') ?? ''));
  }
}
