import { knownSpecs, type ChannelMonitor } from '../monitor/channel-monitor.ts';
import type { WalletState } from '../wallet/wallet-state.ts';
import type { ChannelEntry } from './channel-entry.ts';
import { closingReport, type ClosingReport, type ReportParts } from './closing-report.ts';

/** A report, and what it was made from beside the monitor. */
interface Made {
  readonly report: ClosingReport | undefined;
  readonly state: ChannelEntry['state'];
  readonly wallet: WalletState;
  readonly blockHeight: number;
  /** Which of our payments had been made. */
  readonly paid: string;
}

/** Reports as they were last made: what is shown asks for each several times, and between blocks little changes. */
export class ClosingReports {
  readonly #made = new WeakMap<ChannelMonitor, Made>();

  of(parts: ReportParts, entry: ChannelEntry, monitor: ChannelMonitor): ClosingReport | undefined {
    const { blockHeight } = parts;
    const made = this.#made.get(monitor);
    const now = { state: entry.state, wallet: parts.wallet.state, blockHeight, paid: paidOf(parts, monitor) };
    if (made !== undefined && isSame(made, now)) return made.report;
    const report = closingReport(parts, entry, monitor);
    this.#made.set(monitor, { ...now, report });
    return report;
  }
}

const isSame = (a: Omit<Made, 'report'>, b: Omit<Made, 'report'>): boolean =>
  a.state === b.state && a.wallet === b.wallet && a.blockHeight === b.blockHeight && a.paid === b.paid;

const paidOf = ({ isPaid }: ReportParts, monitor: ChannelMonitor): string =>
  knownSpecs(monitor)
    .flatMap(({ htlcs }) => htlcs)
    .map(({ direction, paymentHash }) => (direction === 'outbound' && isPaid(paymentHash) ? '1' : '0'))
    .join('');
