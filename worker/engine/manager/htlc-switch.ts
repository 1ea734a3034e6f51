import type { LimitReached } from '../channel/channel-limits.ts';
import type { HtlcOffer } from '../channel/channel-operation.ts';
import type { FirstHop } from '../routing/path.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { Removal } from '../transactions/commitment-spec.ts';
import type { EngineEventKind } from './engine-event.ts';

/** What payments need of the channels; calls happen within the running turn. */
export interface HtlcSwitch {
  firstHops(): readonly FirstHop[];
  offer(channelKey: string, offer: HtlcOffer): ChannelHtlc | LimitReached;
  remove(channelKey: string, decision: Removal): void;
  exceedsDustExposure(channelKey: string): boolean;
  note(kind: EngineEventKind, subject: string, amountMsat: bigint, message: string): void;
}
