import type { FeeratePerKw, Msat, Sat } from '../primitives/units.ts';
import type { ChannelKeysId, ChannelParameters, PartyTerms } from '../transactions/channel-parameters.ts';
import type { CommitmentFormat } from '../transactions/channel-scripts.ts';
import type { Owner } from './commitment-costs.ts';
import type { Commitments } from './commitments.ts';

/** What both sides of an establishment know before the funding outpoint does. */
export interface Proposal extends ChannelKeysId {
  readonly temporaryChannelId: Uint8Array;
  readonly counterpartyNodeId: Uint8Array;
  readonly format: CommitmentFormat;
  readonly channelType: Uint8Array;
  readonly fundingSat: Sat;
  readonly pushMsat: Msat;
  readonly feeratePerKw: FeeratePerKw;
  readonly holder: PartyTerms;
}

/** We sent `open_channel`. Not persisted: a restart forgets the attempt. */
export interface AwaitingAccept extends Proposal {
  readonly kind: 'awaitingAccept';
  /** It is the second one, at a higher feerate than the counterparty refused. */
  readonly isRepeated: boolean;
}

/** We sent `accept_channel`. Not persisted. */
export interface AwaitingFundingCreated extends Proposal {
  readonly kind: 'awaitingFundingCreated';
  readonly counterparty: PartyTerms;
  readonly firstPerCommitmentPoint: Uint8Array;
  readonly minimumDepth: number;
}

/** The counterparty accepted: the wallet has to make the funding transaction. Not persisted. */
export interface AwaitingFunding extends Proposal {
  readonly kind: 'awaitingFunding';
  readonly counterparty: PartyTerms;
  readonly firstPerCommitmentPoint: Uint8Array;
  readonly minimumDepth: number;
}

/** We sent `funding_created`; the signed transaction must not leave before `funding_signed`. Not persisted. */
export interface AwaitingFundingSigned {
  readonly kind: 'awaitingFundingSigned';
  readonly temporaryChannelId: Uint8Array;
  readonly params: ChannelParameters;
  readonly commitments: Commitments;
  readonly fundingTransaction: Uint8Array;
}

/**
 * Where the funding is. The opener keeps the transaction, empty for the other side: to broadcast it until it confirms, and
 * again when a reorganisation takes it out of the chain.
 */
export type Funding = { readonly transaction: Uint8Array } & (
  | {
      readonly kind: 'unconfirmed';
      /** Another transaction in a block that spends one of the funding's inputs, as the opener sees it. */
      readonly conflict?: { readonly txid: Uint8Array; readonly height: number };
    }
  | { readonly kind: 'confirmed'; readonly height: number; readonly transactionIndex: number }
);

/** How far a cooperative close is (BOLT 2, Channel Close). */
export type Shutdown =
  | { readonly kind: 'none' }
  /** A `shutdown` of ours that waits until our updates are signed (`sent` false), or is out. */
  | {
      readonly kind: 'holder';
      readonly holderScript: Uint8Array;
      readonly sent: boolean;
      readonly terms: ClosingTerms;
    }
  | {
      readonly kind: 'both';
      readonly holderScript: Uint8Array;
      readonly sent: boolean;
      readonly counterpartyScript: Uint8Array;
      readonly terms: ClosingTerms;
    };

/** How far a channel is from being quiescent (BOLT 2, Channel Quiescence). It ends with its connection: not persisted. */
export type Quiescence =
  | { readonly kind: 'none' }
  /** We ask for it: our `stfu` waits until no update of ours is pending. */
  | { readonly kind: 'wanted' }
  /** The counterparty has said `stfu`, and ours waits for the same. */
  | { readonly kind: 'asked' }
  /** We have said `stfu`, and the counterparty's may wait for updates of its own. */
  | { readonly kind: 'offered' }
  | { readonly kind: 'quiescent'; readonly initiator: Owner };

/** What a cooperative close may cost, and how far its negotiation is. All but `negotiation` is persisted. */
export interface ClosingTerms {
  /** The most that the channel's owner accepts to pay for it, in satoshi; absent where nobody was asked. */
  readonly acceptedSat?: bigint;
  /** How far up our range goes since the counterparty refused one that ended below, in satoshi; 0 before. */
  readonly raisedToSat: bigint;
  /** Where no fee could be agreed upon: since when, moved on by the blocks without the peer, and when it was last so. */
  readonly dispute?: { readonly sinceHeight: number; readonly lastHeight: number };
  /** The fee of the transaction that both sides have signed, in satoshi. */
  readonly agreedSat?: bigint;
  readonly negotiation: ClosingNegotiation;
}

/** The fees exchanged on this connection: after a reconnection the negotiation begins anew (BOLT 2, Closing Negotiation). */
export interface ClosingNegotiation {
  readonly sent?: { readonly feeSat: bigint; readonly range: ClosingFeeRange };
  readonly receivedFeeSat?: bigint;
}

/** The fees that we sign, in satoshi, and the one that we propose. */
export interface ClosingFeeRange {
  readonly minimumSat: bigint;
  readonly idealSat: bigint;
  readonly maximumSat: bigint;
}

/** A channel from its funding to its close. Everything in it but `quiescence` is persisted, all in one record. */
export interface OpenChannel {
  readonly kind: 'open';
  readonly params: ChannelParameters;
  readonly commitments: Commitments;
  readonly funding: Funding;
  readonly holderReadySent: boolean;
  readonly counterpartyReady: boolean;
  /** Our alias, which the counterparty may use for us; 8 bytes as a number. */
  readonly holderAlias: bigint;
  /** The alias under which the counterparty knows the channel: what our invoices say. 0 until `channel_ready`. */
  readonly counterpartyAlias: bigint;
  readonly shutdown: Shutdown;
  readonly quiescence: Quiescence;
  /** The chain's height when it began; `undefined` in a record of a program that did not note it. */
  readonly beganAtHeight: number | undefined;
}

/** A funding that was not in a block when its channel closed. */
export interface UnseenFunding extends Extract<Funding, { readonly kind: 'unconfirmed' }> {
  /** Where the fundee gives it up for good; the opener, whose money it is, never does. */
  readonly forgetAtHeight: number | undefined;
}

/** An open channel of which both sides said that it is to be closed. */
export type ClosingChannel = OpenChannel & { readonly shutdown: Extract<Shutdown, { readonly kind: 'both' }> };

/** Both agreed on a closing transaction, or one side closed alone; the monitor does the rest. Persisted. */
export interface ClosedChannel {
  readonly kind: 'closed';
  readonly params: ChannelParameters;
  readonly reason: CloseReason;
  /** What the two sides had when it closed, to be shown. */
  readonly holderMsat: Msat;
  /** The funding while nobody has seen it in a block: until then there is nothing that our commitment could spend. */
  readonly unseenFunding: UnseenFunding | undefined;
  /**
   * The channel as it was when both agreed, until the closing transaction is in the chain: a counterparty that did not get
   * our answer asks for it again, and closes alone where it gets none.
   */
  readonly negotiated?: ClosingChannel;
}

/** Why a channel is closed, in the words of the person's question. */
export type CloseReason =
  | { readonly kind: 'cooperative'; readonly transaction: Uint8Array }
  /** The person asked for it. */
  | { readonly kind: 'holderForceClosed' }
  /** We closed because of what the counterparty did. */
  | { readonly kind: 'violation'; readonly message: string }
  /** The counterparty sent an `error`. */
  | { readonly kind: 'counterpartyError'; readonly message: string }
  /** A commitment of the counterparty is on the chain. */
  | { readonly kind: 'counterpartyForceClosed' }
  /** The counterparty proved that our state is old: nothing of ours was broadcast. */
  | { readonly kind: 'stale' }
  /** The funding did not confirm within 2016 blocks. */
  | { readonly kind: 'fundingTimedOut' }
  /** What is in the chain under the funding's outpoint is not the funding. */
  | { readonly kind: 'fundingInvalid'; readonly message: string }
  /** An input of our funding transaction was spent by another one. */
  | { readonly kind: 'fundingReplaced' }
  /** The counterparty has forgotten states of the channel, or closed it and says so in this way. */
  | { readonly kind: 'counterpartyLostState' }
  /** An HTLC came to its deadline: in time only the chain could give it to us. */
  | { readonly kind: 'htlcDeadline' }
  /** The channel's record is gone, damaged or older than its monitor. */
  | { readonly kind: 'channelBehind' }
  /** The monitor is gone, damaged or older than the channel: what it has could be revoked. */
  | { readonly kind: 'monitorBehind' };

export type PendingChannel = AwaitingAccept | AwaitingFunding | AwaitingFundingCreated | AwaitingFundingSigned;
export type PersistedChannel = OpenChannel | ClosedChannel;
export type ChannelState = PendingChannel | PersistedChannel;
