import type { LimitReached } from '../channel/channel-limits.ts';
import type { HtlcOffer } from '../channel/channel-operation.ts';
import type { HtlcName } from '../payments/inbound-payment.ts';
import type { FirstHop } from '../routing/route.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { Removal } from '../transactions/commitment-spec.ts';
import type { EngineEventKind } from './engine-event.ts';

/** Every HTLC is ours now, and its monitor has the preimage; or none was touched. */
export type ClaimAnswer =
  | { readonly kind: 'claimed' }
  /** This one cannot be claimed any more: nobody has learnt the preimage. */
  | { readonly kind: 'refused'; readonly unclaimable: HtlcName };

/** What payments need of the channels; calls happen within the running turn. */
export interface HtlcSwitch {
  /** The channels that are ready, also those whose peers are not connected now. */
  firstHops(): readonly FirstHop[];
  /** What stands against an offer now; changes nothing. */
  refusal(channelKey: string, offer: HtlcOffer): LimitReached | undefined;
  offer(channelKey: string, offer: HtlcOffer): ChannelHtlc | LimitReached;
  /** All of them, or none: giving the preimage for a part alone would give the others away. */
  claim(htlcs: readonly HtlcName[], preimage: Uint8Array): ClaimAnswer;
  /** The preimage of a hash that went out for an HTLC of a channel, which its monitor has while that HTLC is there. */
  knownPreimage(channelKey: string, paymentHash: Uint8Array): Uint8Array | undefined;
  /** Gives an HTLC back, unless only the chain can do that now. */
  fail(channelKey: string, decision: Exclude<Removal, { kind: 'fulfill' }>): void;
  /** Whether a channel's funding is as deep as it has to be: what it says is worth nothing while it is not. */
  isFunded(channelKey: string): boolean;
  /** Whether a channel may take HTLCs for itself now: its funding is in the chain, and not too much is dust. */
  takesHtlcs(channelKey: string): boolean;
  /** Whether the height is good enough for HTLCs that are not there yet. */
  isTipFresh(): boolean;
  note(kind: EngineEventKind, subject: string, amountMsat: bigint, message: string): void;
}
