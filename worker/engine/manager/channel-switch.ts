import { toHex } from '../primitives/bytes.ts';
import { sha256 } from '../primitives/hash.ts';
import { fundingIsDeep } from '../channel/channel-ready.ts';
import type { LimitReached } from '../channel/channel-limits.ts';
import * as operation from '../channel/channel-operation.ts';
import type { OpenChannel } from '../channel/channel-state.ts';
import { isRemovable } from '../channel/commitments.ts';
import type { Transition } from '../channel/transition.ts';
import type { HtlcName } from '../payments/inbound-payment.ts';
import type { FirstHop } from '../routing/route.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { Removal } from '../transactions/commitment-spec.ts';
import { isOpen, isOperating, isUsableAt, type ChannelEntry } from './channel-entry.ts';
import type { EngineEventKind } from './engine-event.ts';
import type { ClaimAnswer, HtlcSwitch } from './htlc-switch.ts';
import { envOf, type ManagerContext } from './manager-context.ts';

/** An HTLC that a channel would take. */
interface Offered {
  readonly entry: ChannelEntry;
  readonly transition: Transition<OpenChannel>;
  readonly htlc: ChannelHtlc;
}

/** The channels as payments see them. */
export class ChannelSwitch implements HtlcSwitch {
  readonly #context: ManagerContext;

  constructor(context: ManagerContext) {
    this.#context = context;
  }

  firstHops(): readonly FirstHop[] {
    return this.#context.channels.firstHops(this.#context.conditions.blockHeight);
  }

  refusal(channelKey: string, offer: operation.HtlcOffer): LimitReached | undefined {
    const offered = this.#offered(channelKey, offer);
    return 'code' in offered ? offered : undefined;
  }

  offer(channelKey: string, offer: operation.HtlcOffer): ChannelHtlc | LimitReached {
    const offered = this.#offered(channelKey, offer);
    if ('code' in offered) return offered;
    this.#context.apply(offered.entry, offered.transition);
    return offered.htlc;
  }

  /**
   * Removing by preimage brings it to the channel's monitor too: all of them have it before any counterparty does. The monitor
   * of a channel that cannot speak takes the HTLC out of the chain.
   */
  claim(htlcs: readonly HtlcName[], preimage: Uint8Array): ClaimAnswer {
    const unclaimable = htlcs.find((htlc) => this.#claimableAt(htlc) === undefined);
    if (unclaimable !== undefined) return { kind: 'refused', unclaimable };
    for (const htlc of htlcs) {
      const entry = this.#claimableAt(htlc);
      if (entry === undefined) continue;
      const removal = { kind: 'fulfill', htlcId: htlc.htlcId, preimage } as const;
      if (isOperating(entry)) this.#context.apply(entry, operation.removeHtlc(entry.state, removal));
      else this.#giveToMonitor(entry, preimage);
    }
    return { kind: 'claimed' };
  }

  /**
   * Claims an HTLC that was passed on and fulfilled: whether it can still be claimed or not, its channel's monitor has the preimage
   * from then on.
   */
  claimBack({ channelKey, htlcId }: HtlcName, preimage: Uint8Array): void {
    const entry = this.#context.channels.get(channelKey);
    if (entry === undefined) return;
    if (isOperating(entry) && isRemovable(entry.state.commitments, htlcId))
      return this.#context.apply(entry, operation.removeHtlc(entry.state, { kind: 'fulfill', htlcId, preimage }));
    if ('params' in entry.state && this.knownPreimage(channelKey, sha256(preimage)) === undefined)
      this.#giveToMonitor(entry, preimage);
  }

  isFunded(channelKey: string): boolean {
    const entry = this.#context.channels.get(channelKey);
    if (entry === undefined) return false;
    // A close in the chain has spent the funding; before that nobody looks whether it is still there.
    if (!isOpen(entry)) return this.#context.chainMonitor.monitor(channelKey)?.confirmedSpend !== undefined;
    return fundingIsDeep(entry.state, this.#context.conditions.blockHeight);
  }

  knownPreimage(channelKey: string, paymentHash: Uint8Array): Uint8Array | undefined {
    return this.#context.chainMonitor.monitor(channelKey)?.preimages.get(toHex(paymentHash));
  }

  fail(channelKey: string, decision: Exclude<Removal, { kind: 'fulfill' }>): void {
    const entry = this.#context.channels.get(channelKey);
    if (entry !== undefined && isOperating(entry))
      this.#context.apply(entry, operation.removeHtlc(entry.state, decision));
  }

  takesHtlcs(channelKey: string): boolean {
    const entry = this.#context.channels.get(channelKey);
    if (entry === undefined || !isOpen(entry) || !this.isFunded(channelKey)) return false;
    return !operation.exceedsDustExposure(envOf(this.#context, entry), entry.state);
  }

  isTipFresh(): boolean {
    return this.#context.parts.isTipFresh();
  }

  note(kind: EngineEventKind, subject: string, amountMsat: bigint, message: string): void {
    this.#context.events.note(kind, subject, amountMsat, message);
  }

  #offered(channelKey: string, offer: operation.HtlcOffer): Offered | LimitReached {
    const entry = this.#context.channels.get(channelKey);
    if (entry === undefined || !isUsableAt(entry, this.#context.conditions.blockHeight))
      return { code: 'InsufficientChannelBalance', message: 'The channel is not usable now.' };
    const offered = operation.offerHtlc(envOf(this.#context, entry), entry.state, offer);
    return 'code' in offered ? offered : { ...offered, entry };
  }

  #giveToMonitor(given: ChannelEntry, preimage: Uint8Array): void {
    const entry = this.#context.turn().touch(given);
    entry.steps = [...entry.steps, { kind: 'paymentPreimage', preimage }];
  }

  /** The channel over which an HTLC can be claimed: by a message, or where it is closed or frozen out of the chain. */
  #claimableAt({ channelKey, htlcId }: HtlcName): ChannelEntry | undefined {
    const { channels, chainMonitor, conditions } = this.#context;
    const entry = channels.get(channelKey);
    if (entry === undefined) return undefined;
    const { blockHeight: height, feerates } = conditions;
    const isClaimable = isOperating(entry)
      ? isRemovable(entry.state.commitments, htlcId)
      : chainMonitor.isClaimable(channelKey, htlcId, { height, feeratePerKw: feerates.outputSpending });
    return isClaimable ? entry : undefined;
  }
}
