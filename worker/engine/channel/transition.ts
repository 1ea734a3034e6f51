import type { MonitorStep } from '../monitor/monitor-update.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { Message } from '../wire/message.ts';
import type { Owner } from './commitment-costs.ts';

/** What happened in a channel that the rest of the engine acts upon, within the same turn. */
export type ChannelFact =
  /** An inbound HTLC is irrevocably committed: fulfil, forward or fail it. */
  | { readonly kind: 'htlcAccepted'; readonly htlc: ChannelHtlc }
  /** An outbound HTLC was never signed, and after a reconnection a limit stands against it: it does not exist any more. */
  | { readonly kind: 'htlcDropped'; readonly htlc: ChannelHtlc }
  /** Both sides have said `stfu`, and it is for the initiator to speak. */
  | { readonly kind: 'quiescent'; readonly initiator: Owner }
  /** Both sides have sent `channel_ready`. */
  | { readonly kind: 'channelReady' }
  /** The counterparty has signed our first commitment: the funding transaction may be broadcast. */
  | { readonly kind: 'fundingSigned' }
  /** Both signatures are there: the transaction may be broadcast. */
  | { readonly kind: 'closingAgreed'; readonly transaction: Uint8Array }
  /** The counterparty signed what was agreed before, or another fee, once more. */
  | { readonly kind: 'closingRepeated'; readonly transaction: Uint8Array }
  /** No closing fee can be agreed upon now: the counterparty is warned, and the next connection begins anew. */
  | { readonly kind: 'closingRefused'; readonly reason: string };

/**
 * The outcome of one step of a channel. `steps` belong into this turn's monitor update, `messages` leave only after it
 * is durable, `facts` are handled in the same turn.
 */
export interface Transition<State> {
  readonly kind: 'transition';
  readonly state: State;
  readonly steps: readonly MonitorStep[];
  readonly messages: readonly Message[];
  readonly facts: readonly ChannelFact[];
}

/**
 * The counterparty broke a rule. `warn`: send a `warning` and drop the connection, the channel stays as it was (what
 * BOLT 2 allows wherever our state is untouched). `fail`: send an `error` and close from our commitment. `forgotten`: as
 * `fail`, where the counterparty has lost the channel rather than done wrong: it may have closed it already. `stale`: the
 * counterparty proved that our state is old; never broadcast.
 */
export interface Violation {
  readonly kind: 'violation';
  readonly severity: 'warn' | 'fail' | 'forgotten' | 'stale';
  readonly reason: string;
}

export type Outcome<State> = Transition<State> | Violation;

export function transition<State>(
  state: State,
  parts: {
    readonly steps?: readonly MonitorStep[];
    readonly messages?: readonly Message[];
    readonly facts?: readonly ChannelFact[];
  } = {},
): Transition<State> {
  const { steps = [], messages = [], facts = [] } = parts;
  return { kind: 'transition', state, steps, messages, facts };
}

/** Two steps of a channel as one. */
export const followedBy = <State>(first: Transition<unknown>, second: Transition<State>): Transition<State> => ({
  ...second,
  steps: [...first.steps, ...second.steps],
  messages: [...first.messages, ...second.messages],
  facts: [...first.facts, ...second.facts],
});

export const violation = (severity: Violation['severity'], reason: string): Violation => ({
  kind: 'violation',
  severity,
  reason,
});
