import { expect, onTestFailed, onTestFinished } from 'vitest';
import { Broadcaster } from '../../worker/edges/chain/broadcaster.ts';
import { equalBytes, reversed, toHex } from '../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import type { ChannelMonitor } from '../../worker/engine/monitor/channel-monitor.ts';
import { signedHolderCommitment } from '../../worker/engine/monitor/holder-commitment.ts';
import {
  decodeTransaction,
  transactionId,
  type Outpoint,
  type Transaction,
} from '../../worker/engine/transactions/transaction.ts';
import type { TransactionPackage } from '../../worker/engine/transactions/transaction-package.ts';
import type { ChannelParameters } from '../../worker/engine/transactions/channel-parameters.ts';
import type { CommitmentSpec } from '../../worker/engine/transactions/commitment-spec.ts';
import { isTrimmed, openerCostSat } from '../../worker/engine/transactions/commitment-fees.ts';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { featureSet, type FeatureSet } from '../../worker/engine/wire/features.ts';
import { decodeMessage, type MessageKind } from '../../worker/engine/wire/message.ts';
import { seed } from '../simulation/campaign.ts';
import { FEATURES } from '../simulation/node.ts';
import { randomOf } from '../simulation/random.ts';
import type { BlockRecord } from '../world/chain-index.ts';
import type { RegtestChain } from '../world/chain.ts';
import type { FeeEstimates } from '../world/esplora.ts';
import { Book } from './book.ts';
import { Delivery, type Tell, type ToldBlock } from './delivery.ts';
import { Party, told, type PartyTerms } from './party.ts';
import { servedBy } from './served.ts';
import { TowerProcess } from './tower/tower-process.ts';
import { esploraAt } from '../edges/chain/esplora-at.ts';

export type Format = 'anchors' | 'static_remotekey';

const WITHOUT_ANCHORS: FeatureSet = featureSet({
  option_data_loss_protect: 'compulsory',
  option_static_remotekey: 'compulsory',
  payment_secret: 'compulsory',
  basic_mpp: 'optional',
  option_channel_type: 'compulsory',
});

let seeds = 0;

/** Never the same twice: scenes share a chain. */
const seedOf = (format: Format, party: number): Uint8Array => {
  const seed = new Uint8Array(64).fill(party);
  seed.set([++seeds % 256, Math.floor(seeds / 256), format.length]);
  return seed;
};

/** How each engine is told of blocks. */
export type Deliveries = Readonly<Record<'us' | 'them', Delivery>>;

/** Chosen by the seed and the name of the test, so that a test alone is told the same again. */
function randomDeliveries(): Deliveries {
  const name = expect.getState().currentTestName ?? '';
  const random = randomOf([...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, seed));
  const [us, them] = [Delivery.random(random), Delivery.random(random)];
  onTestFailed(() => {
    console.error(`blocks came by ${us.style.name} and ${them.style.name}; replay with SIM_SEED=${seed}`);
  });
  return { us, them };
}

/** What is not as in most scenes. */
export interface SceneOptions {
  readonly deliveries?: Deliveries;
  /** Of `us`, 64 bytes; without it a new one. */
  readonly seed?: Uint8Array;
  /** What of the channel is theirs at first. */
  readonly pushSat?: bigint;
  /** Without it the funding is made, and nothing of ours arrives. */
  readonly isFunded?: boolean;
  /** What both go by before the first estimate, and what they keep. */
  readonly terms?: Omit<PartyTerms, 'features'>;
}

const FUNDING_SAT = 1_000_000n;

/** Two engines with a channel, which `us` opened, on a chain that checks every script. */
export class Scene {
  readonly us: Party;
  readonly them: Party;
  readonly chain: RegtestChain;
  /** What the network did not take, and why. */
  readonly refused: string[] = [];
  /** What `them` broadcasts does not arrive. */
  theirsAreLost = false;
  oursAreLost = false;
  /** `us` starts again before each block. */
  restarts = false;
  /** Acts in the place of `us` from the next block on. */
  tower: TowerProcess | undefined;
  /** What the server of both can do. */
  readonly served: { packages: boolean; readonly feeEstimates: FeeEstimates } = { packages: true, feeEstimates: {} };
  /** The message after which its sender is not heard any more. */
  withheld: readonly MessageKind[] = [];
  /** Looks after every block whether each satoshi is in exactly one number. */
  book: Book | undefined;
  /** Whose message that is; without it everybody's. */
  withholder: Party | undefined;
  /** What `us` says on the present connection. */
  said: readonly string[] = [];
  readonly #silent = new Set<Party>();
  #connection = 0;
  #isConnected = false;
  #hasHeardAll = true;
  #hasEnded = false;
  #blocks: BlockRecord[] = [];
  #gone: { readonly block: BlockRecord; readonly previous: BlockRecord }[] = [];

  /** Txids, in wire order, of what each has broadcast. */
  readonly #left: ReadonlyMap<Party, Set<string>>;
  readonly #unsubscribe: () => void;
  readonly #server: Broadcaster;

  private constructor(chain: RegtestChain, format: Format, deliveries: Deliveries, options: SceneOptions) {
    const features = format === 'anchors' ? FEATURES : WITHOUT_ANCHORS;
    const terms = { features, ...options.terms };
    this.chain = chain;
    this.us = new Party('us', options.seed ?? seedOf(format, 1), terms, deliveries.us);
    this.them = new Party('them', seedOf(format, 2), terms, deliveries.them);
    this.#server = new Broadcaster([esploraAt('http://esplora.test', servedBy(chain, this.served))], () => 0);
    this.#left = new Map(this.parties.map((party) => [party, new Set<string>()]));
    this.#unsubscribe = chain.subscribe({
      connected: (block) => this.#blocks.push(block),
      disconnected: (block, previous) => this.#gone.push({ block, previous }),
    });
  }

  /** With a channel of 1,000,000 sat that is ready; 400,000 are theirs. Ends with the test. */
  static async begin(chain: RegtestChain, format: Format, options: SceneOptions = {}): Promise<Scene> {
    const { deliveries = randomDeliveries(), pushSat = 400_000n, isFunded = true } = options;
    const scene = new Scene(chain, format, deliveries, options);
    onTestFinished(() => scene.end());
    for (const party of scene.parties) {
      party.hear(({ manager, wallet }) => {
        wallet.bestBlockUpdated(chain.height);
        manager.bestBlockUpdated(chain.height);
      });
      for (let coin = 0; coin < 4; coin++) {
        const script = party.node.turn(() => party.node.wallet.newScript('receive'));
        await scene.chain.fund(addressOfScript(script, 'regtest') ?? '', 2_000_000);
      }
    }
    await scene.mine(1);
    for (const party of scene.parties) party.node.synced();
    await scene.connect();
    scene.oursAreLost = !isFunded;
    scene.us.node.open(scene.them.node, FUNDING_SAT, pushSat * 1000n);
    await scene.settle();
    if (isFunded) await scene.mine(6);
    scene.book = new Book(scene);
    return scene;
  }

  /** From here on a process acts for `us` that has only what its monitors have on record. */
  async giveToTower(): Promise<void> {
    const tower = await TowerProcess.begin(this.us);
    onTestFinished(() => tower.end());
    this.tower = tower;
  }

  /** The chain goes on to the next scene. */
  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#unsubscribe();
    await this.chain.mine(1);
  }

  get parties(): readonly [Party, Party] {
    return [this.us, this.them];
  }

  async connect(): Promise<void> {
    this.#connection++;
    this.#isConnected = true;
    this.said = [];
    this.#silent.clear();
    this.us.node.connect(this.them.node, this.#connection);
    this.them.node.connect(this.us.node, this.#connection);
    await this.settle();
  }

  async disconnect(): Promise<void> {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    for (const [party, peer] of [
      [this.us, this.them],
      [this.them, this.us],
    ] as const)
      party.node.turn(() => party.node.manager.peerDisconnected(peer.node.nodeId, this.#connection));
    await this.settle();
  }

  /** Whatever is under way arrives, is written and is broadcast. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 5;) {
      const moved = (await this.#deliver()) || (await this.#broadcast());
      quiet = moved ? 0 : quiet + 1;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Blocks with what is in the mempool, each told to both. */
  async mine(count: number): Promise<void> {
    for (let block = 0; block < count; block++) {
      await this.chain.mine(1);
      await this.#tell();
      this.book?.check();
    }
  }

  /** As `mine`, by miners who take nothing that pays less, in satoshi per 1000 weight. */
  async mineAbove(feeratePerKw: number): Promise<void> {
    await this.chain.mineAbove(feeratePerKw);
    await this.#tell();
    this.book?.check();
  }

  /** As `BcoinChain.reorg`; told to both as a chain source does: what is gone first. */
  async reorg(depth: number, keepOut = false): Promise<void> {
    const lost = this.#blocksAbove(this.chain.height - depth).flatMap((block) => told(block).transactions);
    await this.chain.reorg(depth, { keepOut });
    await this.#tell();
    // What is in no mempool any more, a chain source finds out.
    for (const txid of lost.map(transactionId))
      if (this.chain.find(toHex(reversed(txid))) === undefined)
        for (const { node } of this.parties) node.turn(() => node.wallet.transactionDropped(txid));
    await this.settle();
    this.book?.check();
  }

  /** An HTLC of each amount, irrevocably committed, that the payee has the preimage of and the payer not yet. */
  async offer(amounts: {
    readonly outboundSat?: readonly bigint[];
    readonly inboundSat?: readonly bigint[];
  }): Promise<void> {
    this.withheld = ['update_fulfill_htlc', 'update_fail_htlc'];
    const { outboundSat = [], inboundSat = [] } = amounts;
    for (const sat of outboundSat) this.us.node.pay(this.them.node.invoice(sat * 1000n));
    for (const sat of inboundSat) this.them.node.pay(this.us.node.invoice(sat * 1000n));
    await this.settle();
  }

  /** As `offer`, with one HTLC that its payee decides upon only when it releases it; gives the invoice. */
  async offerHeld(payer: Party, sat: bigint): Promise<string> {
    const payee = payer === this.us ? this.them : this.us;
    payee.hold();
    const invoice = payee.node.invoice(sat * 1000n);
    payer.node.pay(invoice);
    await this.settle();
    return invoice;
  }

  /** Another HTLC of the same hash and amount, which expires so many blocks later. */
  async offerAgain(payer: Party, invoice: string, blocksLater: number): Promise<void> {
    await this.disconnect();
    await this.mine(blocksLater);
    payer.forgetPayments();
    await this.settle();
    await this.connect();
    payer.node.pay(invoice);
    await this.settle();
  }

  /** Closes alone: the commitment goes out, and the two do not meet again. */
  async forceClose(party: Party, options: { readonly thenTheirsAreLost?: boolean } = {}): Promise<Transaction> {
    await this.disconnect();
    party.node.turn(() => party.node.manager.forceCloseChannel(party.channelKey, { unconfirmedState: true }));
    await this.settle();
    this.theirsAreLost = options.thenTheirsAreLost === true;
    await this.mine(1);
    return this.closeSeenBy(party);
  }

  /** When the first HTLC expires that `us` has a commitment with. */
  get expiry(): number {
    const { holderCommitment, counterpartyCommitments } = this.us.monitor;
    const htlcs = [holderCommitment, ...counterpartyCommitments].flatMap(({ spec }) => spec.htlcs);
    return Math.min(...htlcs.map(({ cltvExpiry }) => cltvExpiry));
  }

  /** The confirmed spend of the funding, as `us` knows it. */
  get close(): Transaction {
    return this.closeSeenBy(this.us);
  }

  closeSeenBy({ monitor: { confirmedSpend } }: Party): Transaction {
    if (confirmedSpend === undefined) throw new Error('the funding is not spent');
    return decodeTransaction(confirmedSpend.transaction);
  }

  /** Meets again: what was withheld is said again. */
  async reconnect(): Promise<void> {
    this.withheld = [];
    await this.disconnect();
    await this.connect();
  }

  /** A payment of ours that arrives, and one of theirs. */
  async pay(sat: bigint): Promise<void> {
    this.withheld = [];
    this.us.node.pay(this.them.node.invoice(sat * 1000n));
    await this.settle();
    this.them.node.pay(this.us.node.invoice(sat * 500n));
    await this.settle();
  }

  /** As `mine`, for blocks in which nobody has anything to do: who hears of blocks only now and then hears of the last. */
  async wait(count: number): Promise<void> {
    if (this.restarts && !this.us.delivery.style.skipsBlocks) return this.mine(count);
    await this.chain.mine(count);
    await this.#connected(this.#blocks.splice(0).map(told));
  }

  /** Blocks that `us` is not told of before the next. */
  async mineAlone(count: number): Promise<void> {
    await this.chain.mine(count);
  }

  /** Blocks that `them` lives through while `us` sleeps; then `us` is told of all of them at once. */
  async mineUnseen(count: number): Promise<void> {
    const missed: ToldBlock[] = [];
    for (let block = 0; block < count; block++) {
      await this.chain.mine(1);
      for (const each of this.#blocks.splice(0).map(told)) {
        missed.push(each);
        await this.#hear([[this.them, this.them.delivery.connected([each])]]);
      }
    }
    await this.#hear([[this.us, this.us.delivery.connected(missed)]]);
  }

  /** What outputs in the chain are worth. */
  valueSat(outpoints: readonly Outpoint[]): bigint {
    return outpoints.reduce(
      (sum, { txid, vout }) => sum + BigInt(this.chain.find(toHex(reversed(txid)))?.tx.outputs[vout]?.value ?? 0),
      0n,
    );
  }

  /** What of a commitment's HTLCs somebody else than `us` has taken out of it. */
  htlcsTakenSat(tx: Transaction): bigint {
    const htlcs = new Set(this.us.monitor.holderCommitment.spec.htlcs.map(({ amountMsat }) => amountMsat / 1000n));
    const ours = this.#left.get(this.us) ?? new Set();
    return this.spendsOf(tx).reduce((sum, spend, vout) => {
      const amountSat = tx.outputs[vout]?.amountSat ?? 0n;
      const isTaken = spend !== undefined && !ours.has(toHex(transactionId(spend)));
      return isTaken && htlcs.has(amountSat) ? sum + amountSat : sum;
    }, 0n);
  }

  /** What a commitment's fee grew by for the HTLCs of ours that it has. */
  htlcCostSat({ monitor: { params, counterpartyCommitments } }: Party): bigint {
    const spec = counterpartyCommitments.at(-1)?.spec;
    if (spec === undefined) return 0n;
    return (
      openerCostSat(params.format, spec.feeratePerKw, spec.htlcs.length) -
      openerCostSat(params.format, spec.feeratePerKw, 0)
    );
  }

  /** What the outputs of HTLC transactions lack of what their HTLCs are worth. */
  htlcFeeSat(raw: Uint8Array): bigint {
    const tx = decodeTransaction(raw);
    const closeId = transactionId(this.close);
    const taken = tx.inputs.filter(({ txid }) => equalBytes(txid, closeId));
    return taken.reduce(
      (sum, { vout }, index) =>
        sum + (this.close.outputs[vout]?.amountSat ?? 0n) - (tx.outputs[index]?.amountSat ?? 0n),
      0n,
    );
  }

  /** What the newest commitment of a party pays it as its balance, in satoshi. */
  balanceSat({ monitor: { params, holderCommitment } }: Party): bigint {
    return balanceIn(params, holderCommitment.spec, params.holder.dustLimitSat, 'outbound');
  }

  /** What the confirmed commitment of theirs pays us as our balance, in satoshi. */
  get toRemoteSat(): bigint {
    const { params, counterpartyCommitments, confirmedSpend } = this.us.monitor;
    const version = counterpartyCommitments.find(
      ({ number }) => confirmedSpend?.spend.kind === 'counterpartyCommitment' && confirmedSpend.spend.number === number,
    );
    if (version === undefined) throw new Error('no commitment of theirs is confirmed');
    return balanceIn(params, version.spec, params.counterparty.dustLimitSat, 'inbound');
  }

  /** What became of a party's own payments, oldest first. */
  outcomesOf({ node }: Party): readonly string[] {
    return node.manager.outboundPayments
      .all()
      .toSorted((a, b) => a.createdAt - b.createdAt)
      .map(({ state }) => state.kind);
  }

  /** Puts a transaction of the test's own into the mempool. */
  async submit(raw: Uint8Array): Promise<Transaction> {
    await this.chain.submit(raw);
    return decodeTransaction(raw);
  }

  /** The commitment that a party could broadcast by a monitor that it had, whatever it has signed or revoked since. */
  commitmentOf(party: Party, monitor: ChannelMonitor): Uint8Array {
    const signer = party.keys.deriveChannelSigner(monitor.params, monitor.params.fundingSat, {
      counterpartySigned: [],
      counterpartyRevoked: 0,
      holderReleased: monitor.holderCommitment.number,
      holderSigned: [],
    });
    return signedHolderCommitment(secp, signer, monitor);
  }

  /** What of a transaction's outputs is spent in the chain, by output index: the spending transaction. */
  spendsOf(tx: Transaction): readonly (Transaction | undefined)[] {
    const txid = toHex(reversed(transactionId(tx)));
    return tx.outputs.map((_, vout) => {
      const spend = this.chain.index.spend(txid, vout);
      const found = spend && this.chain.index.transaction(spend.txid);
      return found && decodeTransaction(Uint8Array.from(found.tx.toRaw()));
    });
  }

  /** All coins of a party, confirmed or not, in satoshi. */
  coinsOf(party: Party): bigint {
    if (party === this.us && this.tower !== undefined) return this.tower.coinsSat;
    const { node } = party;
    const { confirmedSat, unconfirmedSat } = node.wallet.balance(0n, 0);
    return confirmedSat + unconfirmedSat;
  }

  /** Confirmed transactions above a height that a party has broadcast. */
  confirmedOf(party: Party, aboveHeight: number): readonly Transaction[] {
    const left = this.#left.get(party) ?? new Set();
    return this.#blocksAbove(aboveHeight)
      .flatMap((block) => told(block).transactions)
      .filter((tx) => left.has(toHex(transactionId(tx))));
  }

  feeSat(tx: Transaction): bigint {
    const spent = tx.inputs.map(({ txid, vout }) => {
      const found = this.chain.find(toHex(reversed(txid)));
      return BigInt(found?.tx.outputs[vout]?.value ?? 0);
    });
    const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, each) => total + each, 0n);
    return sum(spent) - sum(tx.outputs.map(({ amountSat }) => amountSat));
  }

  #blocksAbove(height: number): readonly BlockRecord[] {
    return Array.from({ length: this.chain.height - height }, (_, index) =>
      this.chain.index.blockAt(height + 1 + index),
    ).flatMap((block) => block ?? []);
  }

  async #deliver(): Promise<boolean> {
    let moved = false;
    for (const [from, to] of [
      [this.us, this.them],
      [this.them, this.us],
    ] as const) {
      while (from.store.inFlight > 0) {
        from.store.complete();
        moved = true;
      }
      await Promise.resolve();
      for (const { connectionId, bytes } of from.node.outbox.splice(0)) {
        if (!this.#isConnected || connectionId !== this.#connection) continue;
        if (from === this.us) this.said = [...this.said, decodeMessage(bytes).kind];
        if (this.#isWithheld(from, bytes)) continue;
        to.node.receive(from.node, connectionId, bytes);
        moved = true;
      }
      if (from.node.disconnects.splice(0).length > 0) await this.disconnect();
    }
    return moved;
  }

  /** Who has said once what is withheld says nothing more, until they meet again. */
  #isWithheld(from: Party, bytes: Uint8Array): boolean {
    const mayWithhold = this.withholder === undefined || this.withholder === from;
    if (mayWithhold && this.withheld.some((kind) => kind === decodeMessage(bytes).kind)) this.#silent.add(from);
    return this.#silent.has(from);
  }

  async #broadcast(): Promise<boolean> {
    let moved = false;
    for (const party of this.parties)
      for (const transactions of party.broadcasts.splice(0)) {
        if (party === this.them ? this.theirsAreLost : this.oursAreLost) continue;
        moved = true;
        await this.#send(party, transactions);
      }
    return moved;
  }

  async #send(party: Party, transactions: TransactionPackage): Promise<void> {
    for (const raw of transactions) this.#left.get(party)?.add(toHex(transactionId(decodeTransaction(raw))));
    for (const { result } of await this.#server.broadcast(transactions))
      // Who hears first of a height and then of what is in the block cannot know better.
      if (this.#hasHeardAll && result.kind !== 'accepted' && result.kind !== 'alreadyKnown')
        this.refused.push(result.kind === 'rejected' ? result.words : result.kind);
  }

  async #sendAll(transactions: readonly Uint8Array[] = []): Promise<void> {
    for (const raw of transactions) await this.#send(this.us, [raw]);
  }

  async #tell(): Promise<void> {
    const gone = this.#gone
      .splice(0)
      .map(({ block, previous }) => ({ ...told(block), previousHeight: previous.height }));
    const blocks = this.#blocks.splice(0).map(told);
    if (gone.length > 0 && this.restarts) await this.#restart();
    for (const block of gone) await this.#sendAll(await this.tower?.disconnected(block));
    const hearing = this.tower === undefined ? this.parties : [this.them];
    if (gone.length > 0) await this.#hear(hearing.map((party) => [party, party.delivery.disconnected(gone)]));
    for (const block of blocks) await this.#connected([block]);
  }

  async #connected(blocks: readonly ToldBlock[]): Promise<void> {
    if (this.restarts) await this.#restart();
    for (const block of blocks) await this.#sendAll(await this.tower?.connected(block));
    const hearing = this.tower === undefined ? this.parties : [this.them];
    await this.#hear(hearing.map((party) => [party, party.delivery.connected(blocks)]));
  }

  /** Each hears turn by turn, and what follows from a turn happens before the next. */
  async #hear(heard: readonly (readonly [Party, readonly Tell[]])[]): Promise<void> {
    const turns = Math.max(...heard.map(([, tells]) => tells.length));
    for (let turn = 0; turn < turns; turn++) {
      this.#hasHeardAll = turn === turns - 1;
      for (const [party, tells] of heard) {
        const tell = tells[turn];
        if (tell !== undefined) party.hear(tell);
      }
      await this.settle();
    }
  }

  async #restart(): Promise<void> {
    await this.disconnect();
    this.us.restart();
    await this.settle();
  }
}

/** `offered` is the direction of what the commitment's owner offers. */
function balanceIn(
  { format, isOpener }: ChannelParameters,
  spec: CommitmentSpec,
  dustSat: bigint,
  offered: 'inbound' | 'outbound',
): bigint {
  const untrimmed = spec.htlcs.filter(
    ({ amountMsat, direction }) =>
      !isTrimmed({ offered: direction === offered, amountMsat }, format, spec.feeratePerKw, dustSat),
  );
  return spec.toHolderMsat / 1000n - (isOpener ? openerCostSat(format, spec.feeratePerKw, untrimmed.length) : 0n);
}
