import { fromHex } from '../primitives/bytes.ts';
import type { ClosingNegotiation } from '../channel/channel-closing.ts';
import type { ChannelState, OpenChannel } from '../channel/channel-state.ts';
import type { ChannelSigner } from '../keys/channel-signer.ts';
import type { SignerState } from '../keys/signer-state.ts';
import type { MonitorStep } from '../monitor/monitor-update.ts';
import type { Outpoint } from '../transactions/transaction.ts';
import type { AnchorChild } from './anchor-child.ts';

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

/** A channel with what belongs to this run of the program only. */
export interface ChannelEntry {
  /** Channel id in hex; the temporary one until there is a funding. */
  key: string;
  readonly nodeId: string;
  readonly signer: ChannelSigner;
  state: ChannelState;
  /** `connected` after both `channel_reestablish`; a new channel is at once. */
  connection: 'disconnected' | 'reestablishing' | 'connected';
  negotiation: ClosingNegotiation;
  forwarding: ForwardingTerms | undefined;
  /** An error of ours stopped the channel: nothing is read, written or sent for it until a restart. */
  frozen: string | undefined;
  /** Steps of the running turn's monitor update. */
  steps: MonitorStep[];
  /** Onions that the store has. */
  readonly storedOnions: Set<string>;
  /** Coins of the wallet that the funding spends, while it is not signed by both. */
  lockedCoins: readonly Outpoint[] | undefined;
  /** The newest child of our broadcast commitment. */
  anchorChild: AnchorChild | undefined;
  /** What the channel's record says, to write it only when that has changed. */
  saved: SavedChannel | undefined;
  /** Height at which this run first saw the channel without a confirmed funding. */
  openedAtHeight: number | undefined;
}

export type OpenEntry = ChannelEntry & { state: OpenChannel };

export const isOpen = (entry: ChannelEntry): entry is OpenEntry => entry.state.kind === 'open';

export const isUsable = (entry: ChannelEntry): entry is OpenEntry =>
  isOpen(entry) &&
  entry.frozen === undefined &&
  entry.connection === 'connected' &&
  entry.state.holderReadySent &&
  entry.state.counterpartyReady &&
  entry.state.shutdown.kind === 'none';

/** A channel as this run begins with it. */
export const newEntry = (
  fixed: Pick<ChannelEntry, 'key' | 'nodeId' | 'signer' | 'state' | 'connection'>,
): ChannelEntry => ({
  ...fixed,
  negotiation: {},
  forwarding: undefined,
  frozen: undefined,
  steps: [],
  storedOnions: new Set(),
  lockedCoins: undefined,
  anchorChild: undefined,
  openedAtHeight: undefined,
  saved: undefined,
});

/** The id by which messages name a channel, 32 bytes. */
export const channelIdOf = ({ key, state }: ChannelEntry): Uint8Array =>
  'params' in state ? state.params.channelId : fromHex(key);
