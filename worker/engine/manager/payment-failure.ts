import type { AttributedFailure } from '../onion/failures.ts';
import type { PaymentFailure } from '../payments/outbound-payment.ts';

/** What a returned failure means for whoever pays: what happened and what to do. */
export function explainFailure(attributed: AttributedFailure | undefined, hopCount: number): PaymentFailure {
  if (attributed === undefined)
    return failure('PaymentFailedUnreadably', 'A node on the way returned an unreadable failure. Try again later.');
  const { failure: reason, hopIndex } = attributed;
  const atPayee = hopIndex === hopCount - 1;
  switch (reason.kind) {
    case 'incorrect_or_unknown_payment_details':
      return failure(
        'PaymentRejected',
        'The recipient did not accept the payment: the invoice may be paid already, expired or for another amount. Ask for a new one.',
      );
    case 'mpp_timeout':
      return failure('PaymentTimedOut', 'Not all parts of the payment arrived in time. Try again.');
    case 'temporary_channel_failure':
      return failure(
        'PaymentNoLiquidity',
        'A channel on the way cannot carry this amount now. Try a smaller amount or later.',
      );
    case 'unknown_next_peer':
    case 'permanent_channel_failure':
      return failure('PaymentRouteGone', 'The recipient cannot be reached by the way that the invoice names.');
    case 'fee_insufficient':
    case 'incorrect_cltv_expiry':
    case 'amount_below_minimum':
      return failure('PaymentTermsChanged', 'A node on the way changed its terms. Ask for a new invoice.');
    case 'expiry_too_soon':
    case 'expiry_too_far':
      return failure(
        'PaymentExpiryRefused',
        'A node on the way refused the expiry. Check that this wallet is in sync.',
      );
    default:
      return failure(
        atPayee ? 'PaymentRejected' : 'PaymentFailedOnTheWay',
        `${atPayee ? 'The recipient' : 'A node on the way'} failed the payment (${reason.kind}). Try again later.`,
      );
  }
}

/** Whether another way, or the same later, could succeed. */
export const isRetryable = (attributed: AttributedFailure | undefined): boolean =>
  attributed !== undefined &&
  ['temporary_channel_failure', 'unknown_next_peer', 'permanent_channel_failure', 'temporary_node_failure'].includes(
    attributed.failure.kind,
  );

const failure = (code: string, message: string): PaymentFailure => ({ code, message });
