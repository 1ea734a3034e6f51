import { insertSecret, shachainIndex } from '../keys/shachain.ts';
import { equalBytes } from '../primitives/bytes.ts';
import { sha256 } from '../primitives/hash.ts';
import { feeratePerKw, msat, type FeeratePerKw, type Msat } from '../primitives/units.ts';
import type { MonitorStep } from '../monitor/monitor-update.ts';
import { boundedFailure } from '../onion/failures.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { HtlcSource } from '../transactions/htlc-source.ts';
import { findHtlc, type Change, type Removal } from '../transactions/commitment-spec.ts';
import type { Message, MessageOf } from '../wire/message.ts';
import type { ChannelEnv } from './channel-env.ts';
import {
  checkOfferedHtlc,
  checkReceivedFee,
  checkReceivedHtlc,
  mayProposeFee,
  type LimitReached,
} from './channel-limits.ts';
import { holdsUpdates } from './channel-quiescence.ts';
import type { OpenChannel } from './channel-state.ts';
import { dustExposureMsat } from './commitment-costs.ts';
import { checkHolderSignatures, signCounterpartyCommitment } from './commitment-signatures.ts';
import {
  afterCommitmentSigned,
  afterRevocation,
  afterSigning,
  expectsCommitmentSigned,
  hasUnsignedChanges,
  isRemovable,
  nextHolderSpec,
  pendingFeerate,
  proposeCounterpartyChange,
  proposeHolderChange,
  type Commitments,
} from './commitments.ts';
import { transition, violation, type Outcome, type Transition } from './transition.ts';

/** The HTLC that we want to offer. */
export interface HtlcOffer {
  readonly amountMsat: Msat;
  readonly paymentHash: Uint8Array;
  readonly cltvExpiry: number;
  /** 1366 bytes. */
  readonly onion: Uint8Array;
  /** Where it is not a payment of ours. */
  readonly source?: HtlcSource;
}

/** The removal of an inbound HTLC that somebody decided upon. */
export type HtlcDecision = Removal;

/** Offers an HTLC (BOLT 2, Adding an HTLC). The answer is its id, or the limit that stands against it. */
export function offerHtlc(
  env: ChannelEnv,
  channel: OpenChannel,
  offer: HtlcOffer,
): { readonly transition: Transition<OpenChannel>; readonly htlc: ChannelHtlc } | LimitReached {
  const htlc: ChannelHtlc = { ...offer, direction: 'outbound', id: channel.commitments.nextHolderHtlcId };
  const offered = update(channel, { kind: 'add', htlc });
  const reached = checkOfferedHtlc(env, channel.params, offered.state.commitments, htlc);
  return reached ?? { transition: offered, htlc };
}

/**
 * Removes an inbound HTLC. A removal that is already under way, or of an HTLC that is gone, changes nothing: whoever
 * decides may decide again after a restart.
 */
export function removeHtlc(channel: OpenChannel, decision: HtlcDecision): Transition<OpenChannel> {
  if (!isRemovable(channel.commitments, decision.htlcId)) return transition(channel);
  const steps: MonitorStep[] =
    decision.kind === 'fulfill' ? [{ kind: 'paymentPreimage', preimage: decision.preimage }] : [];
  return { ...update(channel, decision), steps };
}

/** Says an update of ours, or holds it where none may be said now. */
function update(channel: OpenChannel, change: Change): Transition<OpenChannel> {
  const isHeld = holdsUpdates(channel);
  const commitments = proposeHolderChange(channel.commitments, change, isHeld ? 'held' : 'proposed');
  const messages = isHeld ? [] : [updateMessage(channel.params.channelId, change)];
  return transition({ ...channel, commitments }, { messages });
}

/**
 * Proposes a feerate as the opener; the same channel where it cannot be paid, or would trim too many HTLCs, and while updates
 * are held: what is due by then is proposed after it.
 */
export function proposeFee(env: ChannelEnv, channel: OpenChannel, feerate: FeeratePerKw): Transition<OpenChannel> {
  const { params } = channel;
  if (!params.isOpener || holdsUpdates(channel)) return transition(channel);
  const change: Change = { kind: 'fee', feeratePerKw: feerate };
  const commitments = proposeHolderChange(channel.commitments, change);
  if (!mayProposeFee(params, env.config, commitments, pendingFeerate(channel.commitments))) return transition(channel);
  return update(channel, change);
}

/** `commitment_signed` for all that is unsigned, unless one of ours is still unrevoked. */
export function signPending(env: ChannelEnv, channel: OpenChannel): Transition<OpenChannel> {
  const { commitments, params } = channel;
  if (commitments.counterpartyNext.kind !== 'ready' || !hasUnsignedChanges(commitments)) return transition(channel);
  const signed = afterSigning(commitments);
  const next = signed.counterpartyNext;
  if (next.kind !== 'awaitingRevocation') return transition(channel);
  const { commit } = next;
  const signatures = signCounterpartyCommitment(env, params, commit);
  return transition(
    { ...channel, commitments: signed },
    {
      steps: [{ kind: 'latestCounterpartyCommitment', ...commit }, ...sourceSteps(commitments.holderChanges.proposed)],
      messages: [commitmentSigned(params.channelId, signatures)],
    },
  );
}

/** From here on the chain may decide about an HTLC, and its monitor has to know whom to tell. */
function sourceSteps(changes: readonly Change[]): readonly MonitorStep[] {
  const added = changes.flatMap((change) => (change.kind === 'add' ? [change.htlc] : []));
  return added.flatMap(({ id: htlcId, source }) =>
    source === undefined ? [] : [{ kind: 'htlcSource', htlcId, source }],
  );
}

export const commitmentSigned = (
  channelId: Uint8Array,
  signatures: { readonly signature: Uint8Array; readonly htlcSignatures: readonly Uint8Array[] },
): Message => ({
  kind: 'commitment_signed',
  channelId,
  signature: signatures.signature,
  htlcSignature: signatures.htlcSignatures,
  tlvs: {},
});

export function receiveAdd(channel: OpenChannel, message: MessageOf<'update_add_htlc'>): Outcome<OpenChannel> {
  if (!channel.holderReadySent || !channel.counterpartyReady)
    return violation('warn', 'update_add_htlc before channel_ready');
  if (channel.shutdown.kind === 'both') return violation('warn', 'update_add_htlc after shutdown');
  const { commitments, params } = channel;
  if (message.id !== commitments.nextCounterpartyHtlcId)
    return violation('warn', `HTLC id ${message.id} instead of ${commitments.nextCounterpartyHtlcId}`);
  // Not against our commitment: what we failed back is the sender's again before it is in there.
  if (message.amountMsat > params.fundingSat * 1000n) return violation('warn', 'the sender has not that much');
  const htlc: ChannelHtlc = {
    direction: 'inbound',
    id: message.id,
    amountMsat: msat(message.amountMsat),
    paymentHash: message.paymentHash,
    cltvExpiry: message.cltvExpiry,
    onion: message.onionRoutingPacket,
  };
  return proposed(channel, { kind: 'add', htlc }, (next) => checkReceivedHtlc(params, next, htlc));
}

export function receiveFulfill(channel: OpenChannel, message: MessageOf<'update_fulfill_htlc'>): Outcome<OpenChannel> {
  const htlc = settlable(channel, message.id);
  if (htlc === undefined) return violation('warn', `HTLC ${message.id} cannot be fulfilled now`);
  // BOLT 2, Removing an HTLC: a preimage that does not match means that the channel cannot go on.
  if (!equalBytes(sha256(message.paymentPreimage), htlc.paymentHash))
    return violation('fail', `the preimage of HTLC ${message.id} does not match its hash`);
  const preimage = message.paymentPreimage;
  const next = proposeCounterpartyChange(channel.commitments, { kind: 'fulfill', htlcId: message.id, preimage });
  // At once, though nothing is signed: a preimage is money, and the counterparty need not say it again.
  const steps: readonly MonitorStep[] = [
    { kind: 'paymentPreimage', preimage },
    { kind: 'htlcResolved', htlc, resolution: { kind: 'fulfilled', preimage } },
  ];
  return transition({ ...channel, commitments: next }, { steps });
}

export function receiveFail(channel: OpenChannel, message: MessageOf<'update_fail_htlc'>): Outcome<OpenChannel> {
  if (settlable(channel, message.id) === undefined) return violation('warn', `HTLC ${message.id} cannot be failed now`);
  return proposed(channel, { kind: 'fail', htlcId: message.id, reason: boundedFailure(message.reason) });
}

export function receiveFailMalformed(
  channel: OpenChannel,
  message: MessageOf<'update_fail_malformed_htlc'>,
): Outcome<OpenChannel> {
  if ((message.failureCode & 0x8000) === 0)
    return violation('warn', 'update_fail_malformed_htlc without the BADONION bit');
  if (settlable(channel, message.id) === undefined) return violation('warn', `HTLC ${message.id} cannot be failed now`);
  const { id: htlcId, sha256OfOnion, failureCode } = message;
  return proposed(channel, { kind: 'failMalformed', htlcId, sha256OfOnion, failureCode });
}

export function receiveFee(
  env: ChannelEnv,
  channel: OpenChannel,
  message: MessageOf<'update_fee'>,
): Outcome<OpenChannel> {
  if (channel.params.isOpener) return violation('warn', 'update_fee from the side that does not pay the fee');
  const { params, commitments } = channel;
  const { minimum } = env.feerates.commitment[params.format];
  const before = pendingFeerate(commitments);
  const { feeratePerKw: feerate } = message;
  // Closing over an estimate has cost wallets their channels: an odd feerate drops the connection, never the channel. One
  // that comes nearer to what is expected is taken, as LDK does: to refuse it would keep the one that is worse.
  if (feerate > env.feerates.maximum && feerate > before)
    return violation('warn', `${feerate} sat per kw is unreasonably high`);
  if (feerate < minimum && feerate < before) return violation('warn', `${feerate} sat per kw is below ${minimum}`);
  const change: Change = { kind: 'fee', feeratePerKw: feeratePerKw(feerate) };
  return proposed(channel, change, (next) => checkReceivedFee(params, env.config, next, before));
}

/**
 * A new commitment of ours: check it, keep it, revoke the one before (BOLT 2, Committing Updates). One without any change
 * must not be sent, but nothing forbids taking it, and lnd sends some: as eclair and lightning-kmp do we take it as the next
 * number with the same content. To refuse it would end every connection anew, for the peer repeats what it has signed.
 */
export function receiveCommitmentSigned(
  env: ChannelEnv,
  channel: OpenChannel,
  message: MessageOf<'commitment_signed'>,
): Outcome<OpenChannel> {
  const { commitments, params } = channel;
  // Its second commitment needs both `channel_ready`: there was nothing to sign before.
  if (!expectsCommitmentSigned(commitments) && !(channel.holderReadySent && channel.counterpartyReady))
    return violation('warn', 'commitment_signed without any change before channel_ready');
  const number = commitments.holderCommit.number + 1;
  const spec = nextHolderSpec(commitments);
  const perCommitmentPoint = env.signer.perCommitmentPoint(number);
  const signatures = { signature: message.signature, htlcSignatures: message.htlcSignature };
  const invalid = checkHolderSignatures(env, params, { number, spec, perCommitmentPoint }, signatures);
  if (invalid !== undefined) return violation('warn', invalid);
  return transition(
    { ...channel, commitments: afterCommitmentSigned(commitments) },
    {
      steps: [{ kind: 'latestHolderCommitment', number, spec, ...signatures }],
      messages: [revokeAndAck(env, params.channelId, number)],
    },
  );
}

/** The `revoke_and_ack` that gives up the commitment before `number`. */
export const revokeAndAck = (env: ChannelEnv, channelId: Uint8Array, number: number): Message => ({
  kind: 'revoke_and_ack',
  channelId,
  perCommitmentSecret: env.signer.releaseCommitmentSecret(number - 1),
  nextPerCommitmentPoint: env.signer.perCommitmentPoint(number + 1),
  tlvs: {},
});

export function receiveRevokeAndAck(
  env: ChannelEnv,
  channel: OpenChannel,
  message: MessageOf<'revoke_and_ack'>,
): Outcome<OpenChannel> {
  const { commitments } = channel;
  if (commitments.counterpartyNext.kind !== 'awaitingRevocation')
    return violation('warn', 'revoke_and_ack without an unrevoked commitment');
  const { number, perCommitmentPoint } = commitments.counterpartyCommit;
  const secret = message.perCommitmentSecret;
  if (!env.secp.isSecret(secret) || !equalBytes(env.secp.publicKey(secret), perCommitmentPoint))
    return violation('fail', 'the secret is not that of the revoked commitment');
  if (!env.secp.isPoint(message.nextPerCommitmentPoint))
    return violation('fail', 'the next per-commitment point is not on the curve');
  if (insertSecret(env.counterpartySecrets, shachainIndex(number), secret) === undefined)
    return violation('fail', 'the secret does not fit those before it');
  env.signer.counterpartyRevoked(number, secret);
  const { commitments: next, irrevocable } = afterRevocation(commitments, message.nextPerCommitmentPoint);
  const facts = irrevocable.added.map((htlc) => ({ kind: 'htlcAccepted', htlc }) as const);
  const failed = irrevocable.removed.flatMap(({ htlc, removal }): MonitorStep[] =>
    removal.kind === 'fulfill' ? [] : [{ kind: 'htlcResolved', htlc, resolution: { kind: 'failed', removal } }],
  );
  return transition(
    { ...channel, commitments: next },
    { steps: [{ kind: 'commitmentSecret', number, secret }, ...failed], facts },
  );
}

/** Whether an accepted HTLC makes us exceed what we are ready to lose to fees: then it is failed back. */
export const exceedsDustExposure = (env: ChannelEnv, { params, commitments }: OpenChannel): boolean =>
  dustExposureMsat(params, 'holder', commitments.holderCommit.spec) > env.config.maxDustExposureMsat ||
  dustExposureMsat(params, 'counterparty', commitments.counterpartyCommit.spec) > env.config.maxDustExposureMsat;

/** The message of one of our changes, to be sent and, after a reconnection, sent again. */
export function updateMessage(channelId: Uint8Array, change: Change): Message {
  switch (change.kind) {
    case 'add': {
      const { id, amountMsat, paymentHash, cltvExpiry, onion: onionRoutingPacket } = change.htlc;
      const htlc = { id, amountMsat, paymentHash, cltvExpiry, onionRoutingPacket };
      const { skimmedFeeMsat = 0n } = change.htlc.source ?? {};
      return { kind: 'update_add_htlc', channelId, ...htlc, tlvs: skimmedFeeMsat === 0n ? {} : { skimmedFeeMsat } };
    }
    case 'fulfill':
      return {
        kind: 'update_fulfill_htlc',
        channelId,
        id: change.htlcId,
        paymentPreimage: change.preimage,
        tlvs: {},
      };
    case 'fail':
      return { kind: 'update_fail_htlc', channelId, id: change.htlcId, reason: change.reason, tlvs: {} };
    case 'failMalformed': {
      const { htlcId: id, sha256OfOnion, failureCode } = change;
      return { kind: 'update_fail_malformed_htlc', channelId, id, sha256OfOnion, failureCode, tlvs: {} };
    }
    case 'fee':
      return { kind: 'update_fee', channelId, feeratePerKw: change.feeratePerKw, tlvs: {} };
    default:
      return change satisfies never;
  }
}

/** The counterparty's change added to its proposals, unless it cannot be applied or breaks a rule. */
function proposed(
  channel: OpenChannel,
  change: Change,
  check: (next: Commitments) => string | undefined = () => undefined,
): Outcome<OpenChannel> {
  const commitments = proposeCounterpartyChange(channel.commitments, change);
  const reason = check(commitments);
  return reason === undefined ? transition({ ...channel, commitments }) : violation('warn', reason);
}

/** An outbound HTLC that the counterparty may remove: in its own commitment for good and not removed yet. */
function settlable({ commitments }: OpenChannel, id: bigint): ChannelHtlc | undefined {
  const { proposed, acked, signed } = commitments.counterpartyChanges;
  const removed = [...proposed, ...acked, ...signed].some(
    (change) => change.kind !== 'add' && change.kind !== 'fee' && change.htlcId === id,
  );
  if (removed || findHtlc(commitments.holderCommit.spec, 'outbound', id) === undefined) return undefined;
  return findHtlc(commitments.counterpartyCommit.spec, 'outbound', id);
}
