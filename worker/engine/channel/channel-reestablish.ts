import { equalBytes } from '../primitives/bytes.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import type { Change } from '../transactions/commitment-spec.ts';
import type { Message, MessageOf } from '../wire/message.ts';
import type { ChannelEnv } from './channel-env.ts';
import { checkOfferedHtlc } from './channel-limits.ts';
import { commitmentSigned, revokeAndAck, updateMessage } from './channel-operation.ts';
import { channelReady } from './channel-ready.ts';
import type { OpenChannel, Shutdown } from './channel-state.ts';
import { signCounterpartyCommitment } from './commitment-signatures.ts';
import {
  forgetUnsignedCounterpartyChanges,
  latestCounterpartyCommit,
  proposeHolderChange,
  withHeldProposed,
  withoutUnsignedHolderChanges,
  type Commitments,
} from './commitments.ts';
import { transition, violation, type Outcome, type Violation } from './transition.ts';

/** The newest secret of the counterparty, 32 bytes; zeros before the first revocation. */
export type LastSecret = Uint8Array;

/** What we say first on a new connection (BOLT 2, Message Retransmission). */
export function reestablishMessage(
  env: ChannelEnv,
  { params, commitments }: OpenChannel,
  lastCounterpartySecret: LastSecret,
): MessageOf<'channel_reestablish'> {
  return {
    kind: 'channel_reestablish',
    channelId: params.channelId,
    nextCommitmentNumber: BigInt(commitments.holderCommit.number + 1),
    nextRevocationNumber: BigInt(commitments.counterpartyCommit.number),
    yourLastPerCommitmentSecret: lastCounterpartySecret,
    myCurrentPerCommitmentPoint: env.signer.perCommitmentPoint(commitments.holderCommit.number),
    tlvs: {},
  };
}

/**
 * Of a channel that we have lost the state of: with a `next_commitment_number` of 0 whoever gets it closes from its own
 * commitment (BOLT 2, Message Retransmission).
 */
export const lostStateMessage = (
  { signer }: Pick<ChannelEnv, 'signer'>,
  channelId: Uint8Array,
): MessageOf<'channel_reestablish'> => ({
  kind: 'channel_reestablish',
  channelId,
  nextCommitmentNumber: 0n,
  nextRevocationNumber: 0n,
  yourLastPerCommitmentSecret: new Uint8Array(32),
  myCurrentPerCommitmentPoint: signer.perCommitmentPoint(0),
  tlvs: {},
});

/** A lost connection reverses what the counterparty had not signed, and ends quiescence. */
export const afterDisconnection = (channel: OpenChannel): OpenChannel => ({
  ...channel,
  commitments: withHeldProposed(forgetUnsignedCounterpartyChanges(channel.commitments)),
  quiescence: { kind: 'none' },
});

/**
 * Answers `channel_reestablish`: repeats what the counterparty did not get, the revocation and the signature in the order in
 * which they were first sent, and then our updates that were never signed.
 */
export function receiveReestablish(
  env: ChannelEnv,
  channel: OpenChannel,
  message: MessageOf<'channel_reestablish'>,
): Outcome<OpenChannel> {
  const { commitments } = channel;
  const { channelId } = channel.params;
  const holderNumber = commitments.holderCommit.number;
  const signed = latestCounterpartyCommit(commitments).number;
  const disagreement = checkNumbers(env, channel, message);
  if (disagreement !== undefined) return disagreement;
  const theirRevocations = Number(message.nextRevocationNumber);
  const theirNext = Number(message.nextCommitmentNumber);

  const repeatRevocation = theirRevocations === holderNumber - 1;
  const revocation: Message[] = repeatRevocation ? [revokeAndAck(env, channelId, holderNumber)] : [];
  const repeatSignature = theirNext === signed;
  const signature: Message[] = repeatSignature ? repeatedSignature(env, channel) : [];
  const signedAfterRevoking =
    commitments.counterpartyNext.kind === 'awaitingRevocation' &&
    commitments.counterpartyNext.sentAfterHolderNumber === holderNumber;

  const messages: Message[] = [];
  if (channel.holderReadySent && theirNext === 1 && holderNumber === 0) messages.push(channelReady(env, channel));
  messages.push(...(signedAfterRevoking ? [...revocation, ...signature] : [...signature, ...revocation]));
  // Before the updates that are not signed: they came after it, and it must not be said while any is pending.
  if (channel.shutdown.kind !== 'none' && channel.shutdown.sent)
    messages.push({ kind: 'shutdown', channelId, scriptpubkey: channel.shutdown.holderScript, tlvs: {} });
  const { repeated, dropped } = repeatUnsigned(env, channel);
  for (const change of repeated.holderChanges.proposed) messages.push(updateMessage(channelId, change));
  const facts = dropped.map((htlc) => ({ kind: 'htlcDropped', htlc }) as const);
  return transition({ ...channel, commitments: repeated, shutdown: anew(channel.shutdown) }, { messages, facts });
}

/** Our commitments with updates that were proposed anew, and what of them could not be. */
interface Repetition {
  readonly repeated: Commitments;
  readonly dropped: readonly ChannelHtlc[];
}

/** BOLT 2, Closing Negotiation: what was offered on another connection does not count any more. */
const anew = (shutdown: Shutdown): Shutdown =>
  shutdown.kind === 'none' ? shutdown : { ...shutdown, terms: { ...shutdown.terms, negotiation: {} } };

/**
 * Our updates that were never signed, as far as they may be proposed anew. An `update_fee` is not repeated, for a higher one
 * may have become unpayable and a lower one be what the counterparty dropped the connection over: what is still due is
 * proposed once the channel works. Only where HTLCs need the lower feerate it comes with them, unless it was refused.
 */
function repeatUnsigned(env: ChannelEnv, channel: OpenChannel): Repetition {
  const { params, commitments } = channel;
  const proposed = inRepeatedOrder(commitments.holderChanges.proposed);
  const base = withoutUnsignedHolderChanges(commitments);
  const { feeratePerKw } = latestCounterpartyCommit(commitments).spec;
  const { refusedFeerate } = env;
  const isRepeatable = (fee: number): boolean =>
    fee < feeratePerKw && (refusedFeerate === undefined || fee > refusedFeerate);
  const withoutFees = proposeAnew(
    env,
    params,
    base,
    proposed.filter(({ kind }) => kind !== 'fee'),
  );
  if (withoutFees.dropped.length === 0) return withoutFees;
  const withFees = proposeAnew(
    env,
    params,
    base,
    proposed.filter((change) => change.kind !== 'fee' || isRepeatable(change.feeratePerKw)),
  );
  return withFees.dropped.length < withoutFees.dropped.length ? withFees : withoutFees;
}

/**
 * Proposes changes anew: what the other side has added since counts now, and it would close the channel over an HTLC that
 * breaks a limit. HTLC ids have no gaps, so what comes after the first HTLC that has to go is dropped with it.
 */
export function proposeAnew(
  env: ChannelEnv,
  params: ChannelParameters,
  base: Commitments,
  changes: readonly Change[],
): Repetition {
  let repeated = base;
  const dropped: ChannelHtlc[] = [];
  for (const change of changes) {
    const next = proposeHolderChange(repeated, change);
    const isAdd = change.kind === 'add';
    if (isAdd && (dropped.length > 0 || checkOfferedHtlc(env, params, next, change.htlc) !== undefined))
      dropped.push(change.htlc);
    else repeated = next;
  }
  return { repeated, dropped };
}

/** The updates of the unrevoked commitment and its signatures, equal to those sent before: signing is deterministic. */
function repeatedSignature(env: ChannelEnv, { params, commitments }: OpenChannel): Message[] {
  if (commitments.counterpartyNext.kind !== 'awaitingRevocation') return [];
  const signatures = signCounterpartyCommitment(env, params, commitments.counterpartyNext.commit);
  return [
    ...inRepeatedOrder(commitments.holderChanges.signed).map((change) => updateMessage(params.channelId, change)),
    commitmentSigned(params.channelId, signatures),
  ];
}

/**
 * Removals, the feerate, additions. Of several feerates only the last is repeated, and where it stands HTLCs may come before
 * it that only one of the dropped ones made payable. In this order each update leaves the sender with no less than all of
 * them do, and the receiver checks them one by one. BOLT 2 allows another order than the first.
 */
export function inRepeatedOrder(changes: readonly Change[]): readonly Change[] {
  const adds = changes.filter(({ kind }) => kind === 'add');
  const fees = changes.filter(({ kind }) => kind === 'fee');
  const removals = changes.filter(({ kind }) => kind !== 'add' && kind !== 'fee');
  return [...removals, ...fees, ...adds];
}

/**
 * Where the counterparty's numbers are not ours (BOLT 2, Message Retransmission). Only a secret that we released proves that
 * our state is old, and broadcasting it would give all the money away. Whatever else it claims is no reason to believe that:
 * our commitment is not revoked, and it is all that gets the money out.
 */
function checkNumbers(
  env: ChannelEnv,
  { commitments }: OpenChannel,
  message: MessageOf<'channel_reestablish'>,
): Violation | undefined {
  const holderNumber = BigInt(commitments.holderCommit.number);
  const signed = BigInt(latestCounterpartyCommit(commitments).number);
  const { nextRevocationNumber: theirRevocations, nextCommitmentNumber: theirNext } = message;
  const isProven = knowsSecret(env, message);
  if (theirRevocations > holderNumber)
    return isProven
      ? violation('stale', 'the peer proved that this device has an old state of the channel')
      : violation('fail', 'the peer claims revocations that never happened');
  // With 0 a peer asks for the close of a channel that it has lost.
  if (theirNext === 0n) return violation('forgotten', 'the peer has lost the channel');
  if (theirRevocations < holderNumber - 1n) return violation('forgotten', 'the peer has lost revocations of ours');
  if (!isProven) return violation('fail', 'your_last_per_commitment_secret is not that of the last revocation');
  if (theirNext > signed + 1n) return violation('fail', 'the peer claims a commitment that we never signed');
  const leastNext = commitments.counterpartyNext.kind === 'awaitingRevocation' ? signed : signed + 1n;
  if (theirNext < leastNext) return violation('forgotten', 'the peer has lost a commitment that we signed');
  return undefined;
}

/** Whether the message has the secret of the last revocation that it claims: zeros where there was none. */
function knowsSecret(
  { signer, secp }: ChannelEnv,
  { nextRevocationNumber, yourLastPerCommitmentSecret: secret }: MessageOf<'channel_reestablish'>,
): boolean {
  if (nextRevocationNumber === 0n) return secret.every((byte) => byte === 0);
  if (nextRevocationNumber > COMMITMENT_NUMBERS || !secp.isSecret(secret)) return false;
  return equalBytes(secp.publicKey(secret), signer.perCommitmentPoint(Number(nextRevocationNumber) - 1));
}

/** BOLT 3: commitment numbers have 48 bits. */
const COMMITMENT_NUMBERS = 2n ** 48n;
