import { ourBalance, type ClosingReport, type ClosingStep as Step } from '../engine/manager/closing-report.ts';
import type { Balance } from '../engine/monitor/balances.ts';
import { reversed, toHex } from '../engine/primitives/bytes.ts';
import type { ChannelClosing, ClosingBalance, ClosingStep } from './api.ts';

const CLOSED_BY = { holder: 'us', counterparty: 'peer', both: 'both', nobody: 'nobody' } as const;

/** What becomes of a closed channel, as the page shows it. */
export function closingSummary(report: ClosingReport, blockHeight: number): ChannelClosing {
  const { closedBy, txid, height, worthMsat, feeMsat, balances, steps, gainMsat } = report;
  return {
    closedBy: CLOSED_BY[closedBy],
    txid: toHex(reversed(txid)),
    confirmations: confirmationsAt(height, blockHeight),
    heldMsat: worthMsat,
    feeMsat,
    balances: balances.map(balanceSummary),
    steps: steps.map((step) => stepSummary(step, blockHeight)),
    gainMsat,
  };
}

/** What of a closed channel is ours and no coin yet, in msat. */
export const stillOwedMsat = (report: ClosingReport | undefined): bigint => ourBalance(report?.balances ?? []) * 1000n;

function balanceSummary(balance: Balance): ClosingBalance {
  const { amountSat } = balance;
  switch (balance.kind) {
    case 'claimableOnChannelClose':
      return { kind: balance.kind, amountSat };
    case 'claimableAwaitingConfirmations':
      return { kind: balance.kind, amountSat, height: balance.confirmationHeight };
    case 'contentiousClaimable':
      return { kind: balance.kind, amountSat, height: balance.timeoutHeight };
    case 'maybeTimeoutClaimableHtlc':
      return { kind: 'maybeTimeoutClaimable', amountSat, height: balance.claimableHeight };
    case 'maybePreimageClaimableHtlc':
      return { kind: 'maybePreimageClaimable', amountSat, height: balance.expiryHeight };
    case 'counterpartyRevokedOutputClaimable':
      return { kind: 'counterpartyRevoked', amountSat };
    default:
      return balance satisfies never;
  }
}

const stepSummary = ({ kind, txid, broughtSat, costSat, height }: Step, blockHeight: number): ClosingStep => ({
  kind: kind === 'anchorChild' ? 'feeBump' : 'claim',
  txid: toHex(reversed(txid)),
  confirmations: confirmationsAt(height, blockHeight),
  broughtSat,
  costSat,
});

/** A block can be told before the height of the best one. */
const confirmationsAt = (height: number | undefined, blockHeight: number): number =>
  height === undefined ? 0 : Math.max(1, blockHeight - height + 1);
