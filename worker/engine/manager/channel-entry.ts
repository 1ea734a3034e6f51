import { fromHex } from '../primitives/bytes.ts';
import { fundingIsDeep } from '../channel/channel-ready.ts';
import type { ChannelState, Funding, OpenChannel } from '../channel/channel-state.ts';
import type { ChannelSigner } from '../keys/channel-signer.ts';
import type { SignerState } from '../keys/signer-state.ts';
import type { MonitorStep } from '../monitor/monitor-update.ts';
import type { FeeratePerKw } from '../primitives/units.ts';
import type { Outpoint } from '../transactions/transaction.ts';

/** What the peer's `channel_update` asks of whoever pays us through it. */
export interface ForwardingTerms {
  readonly feeBaseMsat: number;
  readonly feeProportionalMillionths: number;
  readonly cltvExpiryDelta: number;
}

/** What a channel's record is made of. */
export interface SavedChannel {
  readonly state: ChannelState;
  readonly signerState: SignerState;
}

/** What the opener pays for a funding: without a feerate that of the market, without a limit whatever that costs. */
export interface FundingTerms {
  readonly feeratePerKw?: number;
  readonly maxFeeSat?: bigint;
}

/** A channel with what belongs to this run of the program only. Changed within a turn, through `Turn.touch`. */
export interface ChannelEntry {
  /** Channel id in hex; the temporary one until there is a funding. */
  readonly key: string;
  readonly nodeId: string;
  readonly signer: ChannelSigner;
  readonly state: ChannelState;
  /** `connected` after both `channel_reestablish`; a new channel is at once. */
  readonly connection: 'disconnected' | 'reestablishing' | 'connected';
  /**
   * The state is known to be the newest: it was made in this run, or the peer's `channel_reestablish` agreed with it. Before
   * that this could be an old copy of a wallet, whose commitment is revoked.
   */
  readonly isConfirmed: boolean;
  readonly forwarding: ForwardingTerms | undefined;
  /**
   * An error of ours stopped the channel: nothing is read, signed or sent for it until a restart. What gets its money out
   * goes on: preimages, the chain's events, a close from what the monitor has.
   */
  readonly frozen: string | undefined;
  /** Steps of the running turn's monitor update. */
  readonly steps: readonly MonitorStep[];
  /** Onions that the store has. */
  readonly storedOnions: Set<string>;
  /** Coins of the wallet that the funding spends, while it is not signed by both. */
  readonly lockedCoins: readonly Outpoint[] | undefined;
  /** What its owner has agreed to pay for the funding, while that is not made. */
  readonly fundingTerms: FundingTerms;
  /** What the channel's record says, to write it only when that has changed. */
  readonly saved: SavedChannel | undefined;
  /** The feerate of ours that the peer last answered with a warning. */
  readonly refusedFeerate: FeeratePerKw | undefined;
}

/** An entry that the running turn may change. */
export type TouchedEntry = { -readonly [Field in keyof ChannelEntry]: ChannelEntry[Field] };

export type OpenEntry = ChannelEntry & { readonly state: OpenChannel };

export const isOpen = (entry: ChannelEntry): entry is OpenEntry => entry.state.kind === 'open';

/** Open, and able to speak and sign once its peer is there. */
export const isOperating = (entry: ChannelEntry): entry is OpenEntry => isOpen(entry) && entry.frozen === undefined;

/** The funding of an open or closed channel while it is in no block. */
export function unconfirmedFunding(state: ChannelState): Extract<Funding, { kind: 'unconfirmed' }> | undefined {
  if (state.kind === 'closed') return state.unseenFunding;
  return state.kind === 'open' && state.funding.kind === 'unconfirmed' ? state.funding : undefined;
}

/**
 * The peer opened it, and nobody has seen its funding in a block: as yet it costs only us, also once it is closed. Not that of
 * a trusted peer, which is used before.
 */
export function isUnfunded(state: ChannelState): boolean {
  if (state.kind === 'awaitingFundingCreated') return state.minimumDepth > 0;
  if (!('params' in state) || state.params.isOpener || state.params.minimumDepth === 0) return false;
  return unconfirmedFunding(state) !== undefined;
}

export const isUsable = (entry: ChannelEntry): entry is OpenEntry => isReady(entry) && entry.connection === 'connected';

/** Usable as soon as its peer is connected. */
export const isReady = (entry: ChannelEntry): entry is OpenEntry =>
  isOperating(entry) &&
  entry.state.holderReadySent &&
  entry.state.counterpartyReady &&
  entry.state.shutdown.kind === 'none';

/** `isUsable`, and the funding is as deep as it has to be: HTLCs may go through it. */
export const isUsableAt = (entry: ChannelEntry, blockHeight: number): entry is OpenEntry =>
  isUsable(entry) && fundingIsDeep(entry.state, blockHeight);

/** A channel as this run begins with it. */
export const newEntry = (
  fixed: Pick<ChannelEntry, 'key' | 'nodeId' | 'signer' | 'state' | 'connection'>,
): ChannelEntry => ({
  ...fixed,
  isConfirmed: fixed.connection === 'connected',
  forwarding: undefined,
  frozen: undefined,
  steps: [],
  storedOnions: new Set(),
  lockedCoins: undefined,
  fundingTerms: {},
  refusedFeerate: undefined,
  saved: undefined,
});

/** The id by which messages name a channel, 32 bytes. */
export const channelIdOf = ({ key, state }: ChannelEntry): Uint8Array =>
  'params' in state ? state.params.channelId : fromHex(key);
