import { decodeInvoice } from '../../worker/engine/payments/bolt11.ts';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import type { Scenario } from '../interop/scenario.ts';
import type { LdkNode } from '../world/ldk-node.ts';
import type { Random } from './random.ts';

interface Outgoing {
  readonly hash: string;
  readonly msat: bigint;
  readonly payee: LdkNode;
}

interface Incoming {
  readonly hash: string;
  readonly msat: bigint;
  readonly payer: LdkNode;
}

/** Around the dust limit of 354 sat, and up to what many payments at once still leave room for. */
const SIZES = [1n, 1_000n, 353_999n, 354_000n, 354_001n, 400_000n, 1_234_567n, 20_000_000n] as const;

/** Payments both ways whose wallet may disappear at any moment, and the reckoning afterwards. */
export class Traffic {
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #nodes: readonly [LdkNode, ...LdkNode[]];
  readonly #outgoing: Outgoing[] = [];
  readonly #incoming: Incoming[] = [];
  #calls: Promise<void>[] = [];

  /** `nodes`: with whom, each as often as it is named. */
  constructor(scenario: Scenario, random: Random, nodes: readonly [LdkNode, ...LdkNode[]]) {
    this.#scenario = scenario;
    this.#random = random;
    this.#nodes = nodes;
  }

  /** Starts a payment each way. */
  start(): void {
    const payee = this.#random.pick(this.#nodes);
    const msat = this.#random.pick(SIZES);
    const invoice = payee.invoice({ msat: Number(msat) });
    this.#outgoing.push({ hash: toHex(decodeInvoice(nobleSecp256k1, invoice).paymentHash), msat, payee });
    this.#call(() => this.#scenario.wallet.api.payInvoice({ invoice }));
    this.#call(() => this.#receive(this.#random.pick(this.#nodes), this.#random.pick(SIZES)));
  }

  /** Waits until every call has been answered, or cut off with its page. */
  async answered(): Promise<void> {
    const calls = this.#calls;
    this.#calls = [];
    await Promise.all(calls);
  }

  /** Waits for the end of every payment that began. */
  async settled(): Promise<void> {
    await this.answered();
    await this.#scenario.until('no payment is under way', () => !this.#isUnderWay(), SETTLE_TIMEOUT_MS);
  }

  /** How the payments ended, by our side's records and by LDK's: both have to say the same. */
  async outcomes(): Promise<{ readonly ours: readonly string[]; readonly theirs: readonly string[] }> {
    const activity = await this.#scenario.wallet.api.activity({ limit: 10_000 });
    const stateOf = (hash: string, kind: string): string =>
      activity.find((one) => one.id === hash && one.kind === kind)?.state === 'succeeded' ? 'paid' : 'unpaid';
    const ours = [
      ...this.#outgoing.map(({ hash }) => `${hash} ${stateOf(hash, 'sent')}`),
      ...this.#incoming.map(({ hash }) => `${hash} ${stateOf(hash, 'received')}`),
    ];
    const theirs = [
      ...this.#outgoing.map(({ hash, payee }) => `${hash} ${times(payee, 'PaymentClaimed', hash)}`),
      ...this.#incoming.map(({ hash, payer }) => `${hash} ${times(payer, 'PaymentSent', hash)}`),
    ];
    return { ours, theirs };
  }

  /** What the wallet's balance has to have changed by, with the fees that it has on record. */
  async change(): Promise<bigint> {
    const activity = await this.#scenario.wallet.api.activity({ limit: 10_000 });
    let change = 0n;
    for (const { hash } of this.#outgoing) {
      const sent = activity.find((one) => one.id === hash && one.kind === 'sent' && one.state === 'succeeded');
      if (sent !== undefined) change -= sent.amountMsat + sent.feeMsat;
    }
    for (const { hash } of this.#incoming)
      change += activity.find((one) => one.id === hash && one.kind === 'received')?.amountMsat ?? 0n;
    return change;
  }

  /** Subjects of payment events that came more than once under different ids. */
  repeated(): readonly string[] {
    const { told } = this.#scenario.wallet;
    const all = [...this.#outgoing, ...this.#incoming].map(({ hash }) => hash);
    return all.filter((hash) => told.eventsOf(hash).length > 1);
  }

  async #receive(payer: LdkNode, msat: bigint): Promise<void> {
    const { invoice, paymentHash } = await this.#scenario.wallet.api.createInvoice({
      amountMsat: msat,
      description: 'traffic',
    });
    this.#incoming.push({ hash: paymentHash, msat, payer });
    payer.pay(invoice);
  }

  /** What cannot be done at this moment is not done: the reckoning goes by what both sides have on record. */
  #call(work: () => Promise<unknown>): void {
    this.#calls.push(
      work().then(
        () => undefined,
        () => undefined,
      ),
    );
  }

  #isUnderWay(): boolean {
    const { snapshot } = this.#scenario.wallet.told;
    const theirs = [...this.#scenario.world.nodes.values()].flatMap((node) => node.channels());
    return (
      snapshot.channels.some(
        ({ pendingHtlcs, usable, state }) => state !== 'closed' && (pendingHtlcs > 0 || !usable),
      ) || theirs.some(({ pendingInbound, pendingOutbound, usable }) => pendingInbound + pendingOutbound > 0 || !usable)
    );
  }
}

const SETTLE_TIMEOUT_MS = 60_000;

function times(node: LdkNode, kind: 'PaymentClaimed' | 'PaymentSent', hash: string): string {
  const { length } = node.events().filter((event) => event.kind === kind && event.hash === hash);
  return length === 0 ? 'unpaid' : length === 1 ? 'paid' : `paid ${length} times`;
}
