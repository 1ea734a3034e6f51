import { activityOf } from '../../worker/client/activity.ts';
import { planOnchain, sendOnchain } from '../../worker/client/onchain-payment.ts';
import { planReplacing, sendReplacement, type ReplacementKind } from '../../worker/client/onchain-replacement.ts';
import { decodeSend, encodeSend, type OnchainSend } from '../../worker/client/onchain-send.ts';
import type { ChainPlatform } from '../../worker/edges/chain/platform.ts';
import { fromHex, reversed, toHex } from '../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import { decodeTransaction } from '../../worker/engine/transactions/transaction.ts';
import { outpointName, type Coin } from '../../worker/engine/wallet/coin.ts';
import { servedBy } from '../onchain/served.ts';
import { MemoryDisk } from '../simulation/memory-store.ts';
import { pick, randomOf, type Random } from '../simulation/random.ts';
import type { RegtestChain } from '../world/chain.ts';
import { CALM_FEES } from '../world/esplora.ts';
import { FakeNode } from './fake-node.ts';

const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const MINUTE_S = 60;
const REFUSAL = 'sendrawtransaction RPC error: {"message":"min relay fee not met, 100 < 141"}';

/** What a server does with what it is sent: of what it does not take it keeps a copy. */
type Conduct = 'takes' | 'refuses' | 'swallows';

const inputsOf = ({ rawTx }: OnchainSend): readonly string[] => decodeTransaction(rawTx).inputs.map(outpointName);
const isWanted = ({ fate }: OnchainSend): boolean => fate.kind === 'waiting';
const hasFailed = ({ fate }: OnchainSend): boolean => fate.kind === 'refused' || fate.kind === 'displaced';
const isConfirmed = ({ fate }: OnchainSend): boolean => fate.kind === 'confirmed';

/** A node whose owner pays, pays again, replaces and cancels by chance, while servers refuse and keep, and blocks come and go. */
export class PaymentHistory {
  /** What has happened, for whoever looks into a failure. */
  readonly log: string[] = [];
  readonly #random: Random;
  readonly #chain: RegtestChain;
  #disk = new MemoryDisk();
  #fake: FakeNode;
  #conduct: Conduct = 'takes';
  readonly #kept: Uint8Array[] = [];
  /** The txids of all that was to pay for the same thing. */
  readonly #intents: Set<string>[] = [];
  #isReorganised = false;

  constructor(seed: number, chain: RegtestChain) {
    this.#random = randomOf(seed);
    this.#chain = chain;
    this.#fake = this.#started();
  }

  async begin(): Promise<void> {
    await this.#fake.pass(MINUTE_S);
    for (let coin = 0; coin < 3; coin++) {
      await this.#fund();
      await this.#mine();
    }
  }

  stop(): Promise<void> {
    return this.#fake.stop();
  }

  async step(): Promise<void> {
    const steps: readonly (() => void | Promise<void>)[] = [
      () => this.#pay(),
      () => this.#pay(),
      () => this.#payAgain(),
      () => this.#payAgain(),
      () => this.#replace('replace'),
      () => this.#replace('cancel'),
      () => this.#replace('cancel'),
      () => this.#fund(),
      () => this.#changeConduct(),
      () => this.#mine(),
      () => this.#mine(),
      () => this.#fake.pass(5 * MINUTE_S),
      () => this.#fake.pass(5 * MINUTE_S),
      () => this.#restart(),
      () => this.#arrive(),
      () => this.#minersPrefer(),
      () => this.#reorganise(),
      () => this.#reorganise(),
      () => this.#mineNothing(),
    ];
    await pick(this.#random, steps)?.();
    await this.#fake.pass(20);
  }

  /** What does not hold. */
  faults(): readonly string[] {
    return [...this.#wrongRows(), ...this.#wrongCoins(), ...this.#paidTwice(), ...this.#wrongSum()];
  }

  get #sends(): readonly OnchainSend[] {
    return this.#fake.node.rows.sent.list();
  }

  get #coins(): readonly Coin[] {
    return this.#fake.node.wallet.state.coins;
  }

  #started(): FakeNode {
    const { fetch } = servedBy(this.#chain, { feeEstimates: CALM_FEES, packages: true });
    const server: Pick<ChainPlatform, 'fetch'> = {
      fetch: async (url, init) => {
        if (init?.method !== 'POST' || this.#conduct === 'takes') return fetch(url, init);
        this.#kept.push(fromHex(String(init.body)));
        return this.#conduct === 'refuses' ? new Response(REFUSAL, { status: 400 }) : new Response('taken');
      },
    };
    return new FakeNode([], this.#disk, server);
  }

  async #restart(): Promise<void> {
    this.log.push('restart');
    await this.#fake.stop();
    const disk = new MemoryDisk();
    disk.apply(new Map(this.#disk.durable));
    this.#disk = disk;
    this.#fake = this.#started();
    await this.#fake.pass(MINUTE_S);
  }

  async #mine(): Promise<void> {
    this.log.push('mine');
    await this.#fake.pass(10);
    await this.#chain.mine(1);
    await this.#fake.pass(MINUTE_S);
  }

  /** A block of miners who take no payment of ours. */
  async #mineNothing(): Promise<void> {
    this.log.push('mine nothing');
    await this.#chain.mineAbove(1_000_000);
    await this.#fake.pass(MINUTE_S);
  }

  async #reorganise(): Promise<void> {
    const keepOut = this.#random(2) === 0;
    this.log.push(`reorganise ${String(keepOut)}`);
    this.#isReorganised = true;
    await this.#chain.reorg(1 + this.#random(2), { keepOut });
    await this.#fake.pass(MINUTE_S);
  }

  #changeConduct(): void {
    this.#conduct = pick(this.#random, ['takes', 'takes', 'refuses', 'refuses', 'swallows'] as const) ?? 'takes';
    this.log.push(this.#conduct);
  }

  async #fund(): Promise<void> {
    const { node } = this.#fake;
    await this.#chain.fund(
      node.turns.turn(() => node.wallet.newAddress()),
      30_000 + this.#random(70_000),
    );
    this.log.push('fund');
  }

  #pay(): void {
    const { spendableSat } = this.#fake.node.wallet.balance(0n, 0);
    const amountSat = this.#random(6) === 0 ? 'all' : BigInt(1_000 + this.#random(Number(spendableSat) + 1));
    this.#try(`pay ${String(amountSat)}`, () => {
      const txid = this.#paid(amountSat);
      this.#intents.push(new Set([txid]));
      return txid;
    });
  }

  /** What was refused, where nothing stands of it. */
  #payAgain(): void {
    const isOver = (intent: ReadonlySet<string>): boolean =>
      !this.#sends.some((send) => intent.has(send.txid) && (isConfirmed(send) || isWanted(send)));
    const failed = this.#sends.filter((send) => hasFailed(send) && send.amountSat > 0n);
    const again = pick(this.#random, failed);
    const intent = this.#intents.find((each) => again !== undefined && each.has(again.txid));
    if (again === undefined || intent === undefined || !isOver(intent)) return;
    this.#try(`pay again ${again.txid}`, () => {
      const txid = this.#paid(again.amountSat);
      intent.add(txid);
      return txid;
    });
  }

  #paid(amountSat: bigint | 'all'): string {
    const { node, timers } = this.#fake;
    const request = { address: ELSEWHERE, amountSat };
    return node.turns.turn(() => {
      const signed = planOnchain(node.payer, request).map((planned) => node.wallet.payments.sign(planned));
      return sendOnchain(node.payer, request, signed, timers.now())[0] ?? '';
    });
  }

  #replace(kind: ReplacementKind): void {
    const send = pick(this.#random, this.#sends);
    if (send === undefined) return;
    const { node, timers } = this.#fake;
    const request = { txid: send.txid, feeratePerVbyte: 5 + this.#random(40) };
    this.#try(`${kind} ${send.txid}`, () =>
      node.turns.turn(() => {
        const [by = ''] = planReplacing(node.payer, kind, request).map((planned) =>
          sendReplacement(node.payer, kind, request, node.wallet.payments.sign(planned), timers.now()),
        );
        this.#intents.find((intent) => intent.has(send.txid))?.add(by);
        return by;
      }),
    );
  }

  #try(what: string, work: () => string): void {
    try {
      this.log.push(`${what}: ${work()}`);
    } catch (error) {
      if (!(error instanceof GlowwormError)) throw error;
      this.log.push(`${what}: ${error.code}`);
    }
  }

  /** A server passes on what it has refused or kept. */
  async #arrive(): Promise<void> {
    const raw = pick(this.#random, this.#kept);
    if (raw !== undefined) await this.#submit(raw);
  }

  /** Of two that spend the same coin they have the one that nobody else has. */
  async #minersPrefer(): Promise<void> {
    const open = this.#sends.filter((send) => !isConfirmed(send));
    const send = pick(this.#random, open);
    if (send === undefined) return;
    const spent = new Set(inputsOf(send));
    const rivals = open.filter((other) => other !== send && inputsOf(other).some((coin) => spent.has(coin)));
    for (const { rawTx } of rivals) await this.#chain.forget(rawTx);
    await this.#submit(send.rawTx);
    await this.#chain.mine(1);
  }

  async #submit(raw: Uint8Array): Promise<void> {
    const outcome = await this.#chain.submit(raw).catch(String);
    this.log.push(`arrives: ${outcome}`);
  }

  #isInChain(txid: string): boolean {
    return this.#chain.index.transaction(txid) !== undefined;
  }

  /** Rows say what the chain has, name what is in the way, and are read as they are written. */
  #wrongRows(): readonly string[] {
    return this.#sends.flatMap((send) => {
      const { txid, fate } = send;
      const isRight = isConfirmed(send) === this.#isInChain(txid);
      const isDisplaced = fate.kind !== 'displaced' || this.#isInChain(fate.by);
      const isSame = toHex(encodeSend(decodeSend(txid, encodeSend(send)))) === toHex(encodeSend(send));
      return isRight && isDisplaced && isSame ? [] : [`the row of ${txid}`];
    });
  }

  /** The wallet has what the chain says, and nobody else gets the coins of what is to be in a block. */
  #wrongCoins(): readonly string[] {
    const wanted = new Set(this.#sends.filter((send) => isWanted(send) && this.#isWhole(send)).flatMap(inputsOf));
    return this.#coins.flatMap((coin) => {
      const txid = toHex(reversed(coin.txid));
      const isThere = (coin.height !== undefined) === this.#isInChain(txid);
      const isSpent = this.#chain.index.spend(txid, coin.vout) !== undefined;
      const isRight = (coin.spentBy?.height !== undefined) === isSpent;
      const isTaken = coin.spentBy !== undefined || !wanted.has(outpointName(coin));
      return isThere && isRight && isTaken ? [] : [`the coin ${txid}:${coin.vout}`];
    });
  }

  /** Whether what it spends is there: an incoming payment can leave the chain for good. */
  #isWhole(send: OnchainSend): boolean {
    const known = new Set(this.#coins.map(outpointName));
    return inputsOf(send).every((coin) => known.has(coin));
  }

  /** Blocks that leave the chain can take the one of two with them that ruled the other out. */
  #paidTwice(): readonly string[] {
    if (this.#isReorganised) return [];
    const standing = new Set(this.#sends.filter((send) => isConfirmed(send) || isWanted(send)).map(({ txid }) => txid));
    return this.#intents.flatMap((intent) => {
      const both = [...intent].filter((txid) => standing.has(txid) || this.#isInChain(txid));
      return both.length > 1 ? [`paid twice: ${both.join()}`] : [];
    });
  }

  /** What was received, less what was sent and its fees, is what there is. */
  #wrongSum(): readonly string[] {
    if (!this.#sends.filter(isWanted).every((send) => this.#isWhole(send))) return [];
    const { node, timers } = this.#fake;
    const sums = activityOf(node, timers.now(), 1_000).map(({ kind, state, amountMsat, feeMsat }) => {
      if (kind === 'onchainReceived') return amountMsat;
      return state === 'failed' || state === 'replaced' ? -feeMsat : -amountMsat - feeMsat;
    });
    const rowsMsat = sums.reduce((sum, each) => sum + each, 0n);
    const { confirmedSat, unconfirmedSat } = node.wallet.balance(0n, 0);
    const thereMsat = (confirmedSat + unconfirmedSat) * 1_000n;
    return rowsMsat === thereMsat ? [] : [`rows come to ${rowsMsat} msat, and there are ${thereMsat} msat`];
  }
}
