import { fundingIsDeep } from '../channel/channel-ready.ts';
import type { LimitReached } from '../channel/channel-limits.ts';
import * as operation from '../channel/channel-operation.ts';
import type { OpenChannel } from '../channel/channel-state.ts';
import { isRemovable } from '../channel/commitments.ts';
import type { Transition } from '../channel/transition.ts';
import { isClaimableOnChain } from '../monitor/inbound-claim.ts';
import type { HtlcName } from '../payments/inbound-payment.ts';
import type { FirstHop } from '../routing/route.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { Removal } from '../transactions/commitment-spec.ts';
import { isOpen, isOperating, isUsableAt, type ChannelEntry } from './channel-entry.ts';
import { NEVER_BROADCAST } from './closing-requests.ts';
import type { EngineEventKind } from './engine-event.ts';
import type { ClaimAnswer, HtlcSwitch } from './htlc-switch.ts';
import { envOf, monitorOf, type ManagerContext } from './manager-context.ts';

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
   * Every monitor learns the preimage in the same commit, before any counterparty does. A channel that does not operate, for
   * whatever reason, has its HTLC claimed by its monitor.
   */
  claim(htlcs: readonly HtlcName[], preimage: Uint8Array): ClaimAnswer {
    const unclaimable = htlcs.find((htlc) => !this.#isClaimable(htlc));
    if (unclaimable !== undefined) return { kind: 'refused', unclaimable };
    for (const { channelKey, htlcId } of htlcs) {
      const entry = this.#context.channels.named(channelKey);
      if (isOperating(entry))
        this.#context.apply(entry, operation.removeHtlc(entry.state, { kind: 'fulfill', htlcId, preimage }));
      else {
        const touched = this.#context.turn().touch(entry);
        touched.steps = [...touched.steps, { kind: 'paymentPreimage', preimage }];
      }
    }
    return { kind: 'claimed' };
  }

  fail(channelKey: string, decision: Exclude<Removal, { kind: 'fulfill' }>): void {
    const entry = this.#context.channels.get(channelKey);
    if (entry !== undefined && isOperating(entry))
      this.#context.apply(entry, operation.removeHtlc(entry.state, decision));
  }

  takesHtlcs(channelKey: string): boolean {
    const entry = this.#context.channels.get(channelKey);
    if (entry === undefined || !isOpen(entry)) return false;
    const isDeep = fundingIsDeep(entry.state, this.#context.conditions.blockHeight);
    return isDeep && !operation.exceedsDustExposure(envOf(this.#context, entry), entry.state);
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

  #isClaimable({ channelKey, htlcId }: HtlcName): boolean {
    const entry = this.#context.channels.get(channelKey);
    if (entry === undefined) return false;
    if (isOperating(entry)) return isRemovable(entry.state.commitments, htlcId);
    const isStale = entry.state.kind === 'closed' && NEVER_BROADCAST.includes(entry.state.reason.kind);
    return !isStale && isClaimableOnChain(monitorOf(this.#context, entry), htlcId);
  }
}
