import type { ParsedInvoice } from '../simulation/node.ts';
import { openPair, settled, type Side } from './glowworm-sides.ts';
import type { PaymentPair, WriteCounts } from './payments.ts';
import { Activity } from './tasks.ts';

const AMOUNT_MSAT = 10_000n;

/** Glowworm's engine on both sides. */
export class GlowwormPair implements PaymentPair {
  readonly #sides: readonly [Side, Side];
  readonly #activity: Activity;
  readonly #invoices: ParsedInvoice[] = [];

  private constructor(sides: readonly [Side, Side], activity: Activity) {
    this.#sides = sides;
    this.#activity = activity;
  }

  static async open(names: readonly [string, string]): Promise<GlowwormPair> {
    const activity = new Activity();
    return new GlowwormPair(await openPair(names, activity), activity);
  }

  async prepare(count: number): Promise<void> {
    const [a, b] = this.#sides;
    for (let i = 0; i < count; i++) this.#invoices.push(a.node.parse(b.node.invoice(AMOUNT_MSAT)));
    await settled(a, b);
  }

  start(first: number, end: number): void {
    for (const invoice of this.#invoices.slice(first, end)) this.#sides[0].node.payParsed(invoice);
  }

  async finished(): Promise<void> {
    await this.#activity.until(() => this.#sides.every(isQuiet));
    await settled(...this.#sides);
  }

  upkeep(): Promise<void> {
    for (const { node } of this.#sides) node.acknowledgeAll();
    return Promise.resolve();
  }

  counts(): readonly WriteCounts[] {
    return this.#sides.map(({ store }) => store.counts);
  }

  succeeded(): number {
    const payments = this.#sides[0].node.manager.outboundPayments.all();
    return payments.filter(({ state }) => state.kind === 'succeeded').length;
  }
}

function isQuiet({ node }: Side): boolean {
  const state = node.manager.channels()[0]?.state;
  if (state?.kind !== 'open') return false;
  const { holderCommit, counterpartyCommit, counterpartyNext, holderChanges, counterpartyChanges } = state.commitments;
  const changes = [...Object.values(holderChanges), ...Object.values(counterpartyChanges)].flat().length;
  const htlcs = holderCommit.spec.htlcs.length + counterpartyCommit.spec.htlcs.length;
  return counterpartyNext.kind === 'ready' && changes + htlcs === 0;
}
