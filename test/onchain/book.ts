import { ANCHOR_SAT } from '../../worker/engine/transactions/commitment-fees.ts';
import { decodeTransaction } from '../../worker/engine/transactions/transaction.ts';
import { channelRows, type ChannelRow } from '../../worker/client/channel-rows.ts';
import { ourBalance, type ClosingReport } from '../../worker/engine/manager/closing-report.ts';
import { equalBytes } from '../../worker/engine/primitives/bytes.ts';
import type { Party } from './party.ts';
import type { Scene } from './scene.ts';

/**
 * Keeps the books of both parties: what each has, in coins, in open channels and in closed ones, is what it began with, less
 * what it paid and what its channels cost, and what it received and gained.
 */
export class Book {
  readonly #scene: Scene;
  readonly #rows = new Map<Party, Map<string, ChannelRow>>();
  readonly #beganMsat: ReadonlyMap<Party, bigint>;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#beganMsat = new Map(scene.parties.map((party) => [party, this.#broughtMsat(party)]));
  }

  /** Throws where a satoshi is in no number, or in two, or where a step did not cost what the chain says. */
  check(): void {
    // What another process does, the engine hears of too late.
    if (this.#scene.tower !== undefined) return;
    for (const party of this.#scene.parties.filter(({ keepsBooks }) => keepsBooks)) {
      if (isBetweenCloses(party)) continue;
      const name = party === this.#scene.us ? 'we' : 'they';
      const excessMsat = this.#broughtMsat(party) - (this.#beganMsat.get(party) ?? 0n);
      if (excessMsat !== 0n) throw new Error(`${name} have ${excessMsat} msat too many`);
      for (const report of this.#reports(party)) this.#checkSteps(party, report);
    }
  }

  /** What a party has, without what its channels and payments brought it. */
  #broughtMsat(party: Party): bigint {
    const { manager } = party.node;
    const open = manager.channels().reduce((sum, entry) => sum + manager.worthMsat(entry), 0n);
    const owedSat = this.#reports(party).reduce((sum, { balances }) => sum + ourBalance(balances), 0n);
    return (this.#scene.coinsOf(party) + owedSat) * 1000n + open - this.#paymentsMsat(party) - this.#rowsMsat(party);
  }

  /** What it has received, less what it has paid. */
  #paymentsMsat({ node: { manager } }: Party): bigint {
    const paid = manager.outboundPayments
      .all()
      .reduce(
        (sum, { state, amountMsat }) => (state.kind === 'succeeded' ? sum + amountMsat + state.feeMsat : sum),
        0n,
      );
    return manager.inboundPayments.all().reduce((sum, { received }) => sum + (received?.amountMsat ?? 0n), -paid);
  }

  /** What the rows of its channels say that it gained, less what they cost. */
  #rowsMsat(party: Party): bigint {
    const before = this.#rows.get(party) ?? new Map<string, ChannelRow>();
    const rows = channelRows(party.node, (id) => before.get(id));
    this.#rows.set(party, new Map(rows.map((row) => [row.id, row])));
    return rows.reduce((sum, { kind, amountMsat, feeMsat }) => {
      if (kind === 'received') return sum + amountMsat - feeMsat;
      return kind === 'sent' ? sum - amountMsat - feeMsat : sum - feeMsat;
    }, 0n);
  }

  #reports({ node: { manager } }: Party): readonly ClosingReport[] {
    return manager.channels().flatMap((entry) => manager.closing(entry) ?? []);
  }

  /** Each that is in the chain costs its fee, but for what the commitment has paid for it. */
  #checkSteps({ monitor }: Party, { steps }: ClosingReport): void {
    for (const { txid, kind, costSat } of steps) {
      const found = monitor.outputSpends.find((spend) => equalBytes(spend.txid, txid));
      if (found === undefined) continue;
      const feeSat = this.#scene.feeSat(decodeTransaction(found.transaction));
      const expectedSat = kind === 'anchorChild' ? feeSat - ANCHOR_SAT : feeSat;
      if (costSat !== expectedSat) throw new Error(`a ${kind} has cost ${expectedSat} sat, not ${costSat}`);
    }
  }
}

/** A reorganisation took a close out: what was swept out of it is a coin until the wallet hears what is in its place. */
const isBetweenCloses = ({ node: { manager } }: Party): boolean =>
  manager.chainMonitor
    .monitors()
    .some(([, { confirmedSpend, packages }]) => confirmedSpend === undefined && packages.length > 0);
