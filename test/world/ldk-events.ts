import { featureBits, hex, ldk, u64Of } from './ldk.ts';

/** What happened in an LDK node, in plain values; ids and hashes in hex. */
export type LdkHappening =
  | { readonly kind: 'PaymentClaimable'; readonly hash: string; readonly msat: number; readonly keysend: boolean }
  | { readonly kind: 'PaymentClaimed'; readonly hash: string; readonly msat: number; readonly parts: number }
  | { readonly kind: 'PaymentSent'; readonly hash: string; readonly preimage: string; readonly feeMsat: number }
  | { readonly kind: 'PaymentPathSuccessful' }
  | { readonly kind: 'PaymentPathFailed'; readonly hash: string; readonly permanent: boolean }
  | { readonly kind: 'PaymentFailed'; readonly paymentId: string; readonly reason: string | null }
  | { readonly kind: 'PaymentForwarded'; readonly feeMsat: number; readonly fromOnchainClaim: boolean }
  | { readonly kind: 'OpenChannelRequest'; readonly sats: number; readonly channelType: readonly number[] }
  | { readonly kind: 'ChannelPending'; readonly channelId: string; readonly funding: string }
  | { readonly kind: 'ChannelReady'; readonly channelId: string; readonly channelType: readonly number[] }
  | { readonly kind: 'ChannelClosed'; readonly channelId: string; readonly reason: string; readonly detail: string }
  | { readonly kind: 'SpendableOutputs'; readonly outputs: readonly string[] }
  | { readonly kind: 'BumpTransaction'; readonly bump: string }
  | { readonly kind: 'HeldPaymentClaimed' | 'HeldPaymentFailed'; readonly hash: string }
  | { readonly kind: 'Broadcast'; readonly txid: string }
  | { readonly kind: 'BroadcastRejected'; readonly reason: string }
  | { readonly kind: 'Restarted' }
  /** A step of ours that LDK refused, or an exception inside one of its callbacks. */
  | { readonly kind: 'Trouble'; readonly what: string }
  /** An event of LDK's that has no row above. */
  | { readonly kind: 'Other'; readonly name: string };

export type LdkEvent = LdkHappening & {
  /** Position in the node's log. */
  readonly index: number;
  readonly height: number;
};

/** An LDK event in plain values. */
export function happeningOf(event: ldk.Event): LdkHappening {
  return paymentHappening(event) ?? channelHappening(event) ?? { kind: 'Other', name: nameOf(event, 'Event_') };
}

/** The name of one of LDK's sum types' variants. */
export function nameOf(variant: object, prefix: string): string {
  return variant.constructor.name.replace(prefix, '');
}

/** The preimage that LDK knows for a claimable payment. */
export function preimageOf(purpose: ldk.PaymentPurpose): Uint8Array | undefined {
  if (purpose instanceof ldk.PaymentPurpose_SpontaneousPayment) return purpose.spontaneous_payment;
  const known = purpose.preimage();
  return known instanceof ldk.Option_ThirtyTwoBytesZ_Some ? known.some : undefined;
}

function paymentHappening(event: ldk.Event): LdkHappening | undefined {
  if (event instanceof ldk.Event_PaymentClaimable) {
    const keysend = event.purpose instanceof ldk.PaymentPurpose_SpontaneousPayment;
    return { kind: 'PaymentClaimable', hash: hex(event.payment_hash), msat: Number(event.amount_msat), keysend };
  }
  if (event instanceof ldk.Event_PaymentClaimed) {
    const { payment_hash: hash, amount_msat: msat, htlcs } = event;
    return { kind: 'PaymentClaimed', hash: hex(hash), msat: Number(msat), parts: htlcs.length };
  }
  if (event instanceof ldk.Event_PaymentSent) {
    const feeMsat = Number(u64Of(event.fee_paid_msat) ?? 0n);
    return { kind: 'PaymentSent', hash: hex(event.payment_hash), preimage: hex(event.payment_preimage), feeMsat };
  }
  if (event instanceof ldk.Event_PaymentPathSuccessful) return { kind: 'PaymentPathSuccessful' };
  if (event instanceof ldk.Event_PaymentPathFailed) {
    return { kind: 'PaymentPathFailed', hash: hex(event.payment_hash), permanent: event.payment_failed_permanently };
  }
  if (event instanceof ldk.Event_PaymentFailed) {
    const reason = event.reason instanceof ldk.Option_PaymentFailureReasonZ_Some ? event.reason.some : undefined;
    const name = reason === undefined ? null : (ldk.PaymentFailureReason[reason] ?? null);
    return { kind: 'PaymentFailed', paymentId: hex(event.payment_id), reason: name };
  }
  if (event instanceof ldk.Event_PaymentForwarded) {
    const feeMsat = Number(u64Of(event.total_fee_earned_msat) ?? 0n);
    return { kind: 'PaymentForwarded', feeMsat, fromOnchainClaim: event.claim_from_onchain_tx };
  }
  return undefined;
}

function channelHappening(event: ldk.Event): LdkHappening | undefined {
  if (event instanceof ldk.Event_OpenChannelRequest) {
    const channelType = featureBits(event.channel_type.le_flags());
    return { kind: 'OpenChannelRequest', sats: Number(event.funding_satoshis), channelType };
  }
  if (event instanceof ldk.Event_ChannelPending) {
    return { kind: 'ChannelPending', channelId: hex(event.channel_id.get_a()), funding: event.funding_txo.to_str() };
  }
  if (event instanceof ldk.Event_ChannelReady) {
    const channelType = featureBits(event.channel_type.le_flags());
    return { kind: 'ChannelReady', channelId: hex(event.channel_id.get_a()), channelType };
  }
  if (event instanceof ldk.Event_ChannelClosed) {
    const { channel_id: id, reason } = event;
    const name = nameOf(reason, 'ClosureReason_');
    return { kind: 'ChannelClosed', channelId: hex(id.get_a()), reason: name, detail: detailOf(reason) };
  }
  if (event instanceof ldk.Event_SpendableOutputs) {
    const outputs = event.outputs.map((output) => nameOf(output, 'SpendableOutputDescriptor_'));
    return { kind: 'SpendableOutputs', outputs };
  }
  if (event instanceof ldk.Event_BumpTransaction) {
    return { kind: 'BumpTransaction', bump: nameOf(event.bump_transaction, 'BumpTransactionEvent_') };
  }
  return undefined;
}

function detailOf(reason: ldk.ClosureReason): string {
  if (reason instanceof ldk.ClosureReason_CounterpartyForceClosed) return reason.peer_msg.get_a();
  return reason instanceof ldk.ClosureReason_ProcessingError ? reason.err : '';
}
