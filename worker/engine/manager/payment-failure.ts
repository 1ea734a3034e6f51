import type { LimitReached } from '../channel/channel-limits.ts';
import type { FailureKind } from '../onion/failure-message.ts';
import type { AttributedFailure } from '../onion/failures.ts';
import type { PaymentFailure } from '../payments/outbound-payment.ts';

/** What a returned failure means for whoever pays: what happened and what to do. */
export function explainFailure(attributed: AttributedFailure | undefined, hopCount: number): PaymentFailure {
  if (attributed === undefined)
    return failure('PaymentFailedUnreadably', 'A node on the way returned an unreadable failure. Try again later.');
  const kind = attributed.failure.kind;
  const known = kind === 'unknown' ? undefined : meaningOf(attributed, hopCount)[kind];
  if (known !== undefined) return known;
  return isOfPayee(attributed, hopCount)
    ? failure('PaymentRejected', `The recipient failed the payment (${kind}). Try again later.`)
    : failure('PaymentFailedOnTheWay', `A node on the way failed the payment (${kind}). Try again later.`);
}

/** What a limit of a channel means for whoever pays; its own sentence is for the log. */
export const explainLimit = ({ code }: LimitReached): PaymentFailure => failure(code, LIMITS[code]);

/**
 * Whether another way, or the same one a little later, could succeed (BOLT 4, Receiving Failure Codes). What a node on the
 * way says is its own affair and never the last word; of the payee's failures only those that pass.
 */
export const isRetryable = (attributed: AttributedFailure | undefined, hopCount: number): boolean =>
  attributed !== undefined &&
  (!isOfPayee(attributed, hopCount) || PASSING.some((kind) => kind === attributed.failure.kind));

const isOfPayee = ({ hopIndex }: AttributedFailure, hopCount: number): boolean => hopIndex === hopCount - 1;

const failure = (code: string, message: string): PaymentFailure => ({ code, message });

const LIMITS: Readonly<Record<LimitReached['code'], string>> = {
  AmountTooSmall: 'The peer of the channel takes no payment as small as this. Pay a larger amount.',
  TooManyHtlcs: 'The channel has as many payments under way as it can carry. Try again when some of them are done.',
  InFlightLimit:
    'The peer takes no more in payments that are under way at once. Try again when some of them are done, or a smaller amount.',
  InsufficientChannelBalance:
    'The channel cannot carry this amount now: a part of its balance is kept as a reserve and for fees. Try a smaller amount, or again later.',
  FeeUnaffordable:
    'The peer pays the fees of the channel and has too little in it for one payment more. Try again when other payments are done, or when network fees are lower.',
  DustExposure:
    'Too much of what is under way in the channel is in payments so small that a close now would lose them. Try again when some of them are done, or a larger amount.',
  ExpiryTooSoon: 'The payment would have expired before it arrives. Check that this wallet is in sync, and try again.',
  ExpiryTooFar: 'The way there could lock the money for longer than nodes accept. Ask for another invoice.',
};

/** `mpp_timeout` is not one of them: the other parts are lost with it, and a part alone would only wait again. */
const PASSING: readonly FailureKind[] = ['temporary_node_failure', 'temporary_channel_failure'];

type Meanings = Readonly<Partial<Record<FailureKind, PaymentFailure>>>;

const NO_LIQUIDITY = failure(
  'PaymentNoLiquidity',
  'A channel on the way cannot carry this amount now. Try a smaller amount or later.',
);
const ROUTE_GONE = failure('PaymentRouteGone', 'The recipient cannot be reached by the way that the invoice names.');
const TERMS_CHANGED = failure('PaymentTermsChanged', 'A node on the way changed its terms. Ask for a new invoice.');
const EXPIRY_REFUSED = failure(
  'PaymentExpiryRefused',
  'A node on the way refused the expiry. Check that this wallet is in sync.',
);

/** What only the payee can know. */
const ofPayee: Meanings = {
  incorrect_or_unknown_payment_details: failure(
    'PaymentRejected',
    'The recipient did not accept the payment: the invoice may be paid already, expired or for another amount. Ask for a new one.',
  ),
  mpp_timeout: failure('PaymentTimedOut', 'Not all parts of the payment arrived in time. Try again.'),
  temporary_channel_failure: failure(
    'PaymentNoLiquidity',
    'The recipient cannot take this amount now. Try a smaller amount or later.',
  ),
};

/** What only nodes that forward can mean; from the payee it would send the person after somebody else. */
const onTheWay: Meanings = {
  temporary_channel_failure: NO_LIQUIDITY,
  unknown_next_peer: ROUTE_GONE,
  permanent_channel_failure: ROUTE_GONE,
  channel_disabled: ROUTE_GONE,
  fee_insufficient: TERMS_CHANGED,
  incorrect_cltv_expiry: TERMS_CHANGED,
  amount_below_minimum: TERMS_CHANGED,
  expiry_too_soon: EXPIRY_REFUSED,
  expiry_too_far: EXPIRY_REFUSED,
};

const meaningOf = (attributed: AttributedFailure, hopCount: number): Meanings =>
  isOfPayee(attributed, hopCount) ? ofPayee : onTheWay;
