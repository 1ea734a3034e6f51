import { FakeChain } from './fake-chain.ts';
import { LdkPipe } from './ldk-pipe.ts';
import { LdkSide, type PreparedPayment } from './ldk-side.ts';
import { LdkStore } from './ldk-store.ts';
import type { PaymentPair, WriteCounts } from './payments.ts';
import { Activity } from './tasks.ts';

const AMOUNT_MSAT = 10_000n;
const CHANNEL_SAT = 10_000_000n;
const PAYMENTS_PER_TICK = 20;

/** LDK on both sides. */
export class LdkPair implements PaymentPair {
  readonly #sides: readonly [LdkSide, LdkSide];
  readonly #pipe: LdkPipe;
  readonly #activity: Activity;
  readonly #payments: PreparedPayment[] = [];

  private constructor(sides: readonly [LdkSide, LdkSide], activity: Activity) {
    this.#sides = sides;
    this.#activity = activity;
    this.#pipe = new LdkPipe(...sides);
  }

  static async open(names: readonly [string, string]): Promise<LdkPair> {
    const activity = new Activity();
    const chain = new FakeChain();
    const written = activity.notify;
    const a = new LdkSide({ seedByte: 1, chain, store: await LdkStore.open(names[0]), written });
    const b = new LdkSide({ seedByte: 2, chain, store: await LdkStore.open(names[1]), written });
    const pair = new LdkPair([a, b], activity);
    await pair.#settled(() => [a, b].every(({ objects }) => objects.peers.list_peers().length === 1));
    a.open(b, CHANNEL_SAT);
    await pair.#settled(() => chain.pending.length === 1);
    chain.mine([a, b], 6);
    await pair.#settled(() => a.isUsable && b.isUsable);
    return pair;
  }

  async prepare(count: number): Promise<void> {
    const [a, b] = this.#sides;
    for (let i = 0; i < count; i++) this.#payments.push(a.prepare(b.invoice(AMOUNT_MSAT)));
    await this.#settled(() => true);
  }

  start(first: number, end: number): void {
    for (const payment of this.#payments.slice(first, end)) this.#sides[0].pay(payment);
  }

  finished(paid: number): Promise<void> {
    return this.#settled(() => this.#sides[0].paid >= paid);
  }

  async upkeep(paid: number, inFlight: number): Promise<void> {
    if (inFlight === 1 && paid % PAYMENTS_PER_TICK > 0) return;
    for (const side of this.#sides) side.tick();
    await this.#settled(() => true);
  }

  counts(): readonly WriteCounts[] {
    return this.#sides.map(({ store }) => store.counts);
  }

  succeeded(): number {
    return this.#sides[0].paid;
  }

  /** Writes what may wait, for a start from the databases. */
  async flush(): Promise<void> {
    for (const side of this.#sides) await side.flush();
  }

  /** Nothing moves, everything is durable, and `condition` holds. */
  async #settled(condition: () => boolean): Promise<void> {
    await this.#activity.until(() => {
      this.#pipe.pump();
      return this.#sides.every(({ isBusy }) => !isBusy) && condition();
    });
  }
}
