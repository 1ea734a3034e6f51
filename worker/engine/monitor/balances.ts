import { commitmentInput } from '../keys/commitment-inputs.ts';
import { toHex } from '../primitives/bytes.ts';
import { buildCommitment } from '../transactions/commitment.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';
import { encodeTransaction, transactionId, type Outpoint } from '../transactions/transaction.ts';
import {
  knownSpecs,
  type ChannelMonitor,
  type ConfirmedSpend,
  type CounterpartyCommitment,
} from './channel-monitor.ts';
import type { Claim } from './claims/claim.ts';
import { claimsOf } from './claims/claims.ts';
import type { ClaimKeys } from './claims/claim-keys.ts';
import { takableClaims } from './claims/takable-claims.ts';
import { holderCommitment } from './holder-commitment.ts';

/** An output that is, or may become, ours, by LDK's names. Amounts are before the fees of what takes it. */
export type Balance = {
  readonly outpoint: Outpoint;
  readonly amountSat: bigint;
} & (
  | /** Ours by the transaction that is expected to close the channel, which is in no block. */
    { readonly kind: 'claimableOnChannelClose' }
    /** Ours alone; the block at `confirmationHeight` is the first that may pay it to the wallet. */
  | { readonly kind: 'claimableAwaitingConfirmations'; readonly confirmationHeight: number }
  /** An HTLC to us whose preimage we have; from the block at `timeoutHeight` on the counterparty could take it too. */
  | {
      readonly kind: 'contentiousClaimable';
      readonly paymentHash: Uint8Array;
      readonly timeoutHeight: number;
    }
  /** An HTLC of ours: back from the block at `claimableHeight` on, unless the counterparty shows its preimage. */
  | {
      readonly kind: 'maybeTimeoutClaimableHtlc';
      readonly paymentHash: Uint8Array;
      readonly claimableHeight: number;
    }
  /** An HTLC to us whose preimage we do not have; the counterparty's again from the block at `expiryHeight` on. */
  | { readonly kind: 'maybePreimageClaimableHtlc'; readonly paymentHash: Uint8Array; readonly expiryHeight: number }
  /** An output of a commitment that its owner had revoked, or of what it made of one. */
  | { readonly kind: 'counterpartyRevokedOutputClaimable' }
);

/** Whether it is ours for as long as we claim it in time. */
export const isCertainBalance = ({ kind }: Balance): boolean =>
  kind !== 'maybeTimeoutClaimableHtlc' && kind !== 'maybePreimageClaimableHtlc';

/** What balances depend on beside the monitor. */
export interface BalanceConditions {
  readonly height: number;
  /** Where claims pay to. */
  readonly destinationScript: Uint8Array;
}

/**
 * What of a channel is ours in the chain, or will be once the channel has closed (LDK, `get_claimable_balances`): nothing of it
 * once it was spent there. Of an agreed close this knows nothing: its output is a coin of the wallet. HTLCs of ours whose
 * preimage is known are left out, and what no transaction can take: that would be due for ever.
 */
export function claimableBalances(
  keys: ClaimKeys,
  monitor: ChannelMonitor,
  conditions: BalanceConditions,
): readonly Balance[] {
  const { claims, isExpected } = derived(keys, monitor);
  return balancesOf(monitor, claims, isExpected, conditions);
}

/** What closes a channel, or is expected to, and what of it was ours before anybody spent an output of it. */
export function closeBalances(
  keys: ClaimKeys,
  monitor: ChannelMonitor,
  conditions: BalanceConditions,
): { readonly close: ConfirmedSpend; readonly claims: readonly Claim[]; readonly balances: readonly Balance[] } {
  const { close, first, isExpected } = derived(keys, monitor);
  return { close, claims: first, balances: balancesOf(monitor, first, isExpected, conditions) };
}

/** Every output of the close that is not spent and is, or may become, ours, also where another has a right to it. */
export const unspentClaims = (keys: ClaimKeys, monitor: ChannelMonitor): readonly Claim[] =>
  derived(keys, monitor).claims;

/** What the commitment says that closes a channel, or is expected to; of one that we do not know, what ours says. */
export function closingSpec(monitor: ChannelMonitor): CommitmentSpec {
  const { confirmedSpend, counterpartyCommitments, holderCommitment } = monitor;
  const spend = confirmedSpend?.spend ?? expectedSpend(monitor);
  const number = spend.kind === 'counterpartyCommitment' ? spend.number : undefined;
  return counterpartyCommitments.find((each) => each.number === number)?.spec ?? holderCommitment.spec;
}

/**
 * What is ours in a commitment before fees, in msat: also HTLCs that we offered, until somebody `isPaid`, and those to us whose
 * preimage we have. The same in each of a channel's live commitments, unless one of them has an HTLC that was given back.
 */
export function worthMsat(
  { toHolderMsat, htlcs }: CommitmentSpec,
  preimages: ChannelMonitor['preimages'],
  isPaid: (paymentHash: Uint8Array) => boolean,
): bigint {
  return htlcs.reduce((sum, { direction, paymentHash, amountMsat }) => {
    const isKnown = preimages.has(toHex(paymentHash));
    const isOurs = direction === 'outbound' ? !isKnown && !isPaid(paymentHash) : isKnown;
    return isOurs ? sum + amountMsat : sum;
  }, toHolderMsat as bigint);
}

/** What follows from a monitor alone. Every snapshot that is shown asks for it. */
interface Derived {
  readonly close: ConfirmedSpend;
  readonly isExpected: boolean;
  /** Those that are not spent, also HTLCs that wait for a preimage. */
  readonly claims: readonly Claim[];
  readonly first: readonly Claim[];
}

const DERIVED = new WeakMap<ChannelMonitor, Derived>();

function derived(keys: ClaimKeys, monitor: ChannelMonitor): Derived {
  const known = DERIVED.get(monitor);
  if (known !== undefined) return known;
  const isExpected = monitor.confirmedSpend === undefined;
  const close = monitor.confirmedSpend ?? expectedClose(keys, monitor);
  const preimages = new Map([...missingPreimages(monitor), ...monitor.preimages]);
  const first = claimsOf(keys, { ...monitor, confirmedSpend: close, preimages, outputSpends: [] });
  const claims = monitor.outputSpends.length === 0 ? first : claimsOf(keys, { ...monitor, preimages });
  const found = { close, isExpected, claims, first };
  DERIVED.set(monitor, found);
  return found;
}

/** Stands for the preimage of an HTLC that we would claim if we had it. */
const MISSING_PREIMAGE = new Uint8Array(32);

const missingPreimages = (monitor: ChannelMonitor): readonly (readonly [string, Uint8Array])[] =>
  knownSpecs(monitor).flatMap(({ htlcs }) =>
    htlcs.flatMap(({ direction, paymentHash }) =>
      direction === 'inbound' ? [[toHex(paymentHash), MISSING_PREIMAGE] as const] : [],
    ),
  );

/** Our newest commitment, or where it does not go out the newest of the counterparty. */
function expectedSpend({ counterpartyCommitments, closed }: ChannelMonitor): ExpectedSpend {
  const theirs = counterpartyCommitments.at(-1);
  const isOurs = closed === 'no' || closed === 'broadcast' || theirs === undefined;
  return isOurs ? { kind: 'holderCommitment' } : { ...theirs, kind: 'counterpartyCommitment' };
}

type ExpectedSpend =
  { readonly kind: 'holderCommitment' } | ({ readonly kind: 'counterpartyCommitment' } & CounterpartyCommitment);

function expectedClose(keys: ClaimKeys, monitor: ChannelMonitor): ConfirmedSpend {
  const spend = expectedSpend(monitor);
  const { secp, signer } = keys;
  const { tx } =
    spend.kind === 'holderCommitment'
      ? holderCommitment(keys, monitor).commitment
      : buildCommitment(commitmentInput(secp, signer, monitor.params, { owner: 'counterparty', ...spend }));
  return { spend, transaction: encodeTransaction(tx), txid: transactionId(tx), height: 0 };
}

function balancesOf(
  monitor: ChannelMonitor,
  claims: readonly Claim[],
  isExpected: boolean,
  { height, destinationScript }: BalanceConditions,
): readonly Balance[] {
  const isWaiting = (claim: Claim): boolean => 'preimage' in claim && claim.preimage === MISSING_PREIMAGE;
  const known = claims.filter((claim) => !isWaiting(claim));
  const takable = new Set(takableClaims(known, height, destinationScript));
  const counted = claims.filter((claim) => isWaiting(claim) || takable.has(claim));
  return counted.flatMap((claim): Balance | readonly [] => {
    const balance = balanceOf(claim, isExpected, height);
    const isTaken = balance.kind === 'maybeTimeoutClaimableHtlc' && monitor.preimages.has(toHex(balance.paymentHash));
    return isTaken ? [] : balance;
  });
}

function balanceOf(claim: Claim, isExpected: boolean, height: number): Balance {
  const { outpoint, amountSat, validFrom } = claim;
  const common = { outpoint, amountSat };
  switch (claim.kind) {
    case 'delayed':
    case 'toRemote': {
      if (isExpected) return { ...common, kind: 'claimableOnChannelClose' };
      const confirmationHeight = Math.max(validFrom, height + 1);
      return { ...common, kind: 'claimableAwaitingConfirmations', confirmationHeight };
    }
    case 'holderHtlc':
    case 'counterpartyHtlc': {
      const { paymentHash } = claim.kind === 'holderHtlc' ? claim.htlc.htlc : claim;
      const { preimage, deadline } = claim;
      if (preimage === undefined || deadline === undefined)
        return { ...common, kind: 'maybeTimeoutClaimableHtlc', paymentHash, claimableHeight: validFrom };
      return preimage === MISSING_PREIMAGE
        ? { ...common, kind: 'maybePreimageClaimableHtlc', paymentHash, expiryHeight: deadline }
        : { ...common, kind: 'contentiousClaimable', paymentHash, timeoutHeight: deadline };
    }
    case 'revokedToLocal':
    case 'revokedHtlc':
      return { ...common, kind: 'counterpartyRevokedOutputClaimable' };
    default:
      return claim satisfies never;
  }
}
