import { equalBytes, printable, toHex } from '../primitives/bytes.ts';
import type { CloseReason, OpenChannel } from '../channel/channel-state.ts';
import { feerateUnderWay, latestCounterpartyCommit } from '../channel/commitments.ts';
import type { MessageOf } from '../wire/message.ts';
import type { ChannelEstablishment } from './channel-establishment.ts';
import { isOpen, type ChannelEntry, type OpenEntry } from './channel-entry.ts';
import type { ChannelQuarantine } from './channel-quarantine.ts';
import type { ManagerContext } from './manager-context.ts';
import { mildAnswer } from './mild-errors.ts';

const ALL_CHANNELS = new Uint8Array(32);

/** What peers' errors and warnings do to channels (BOLT 1, The error and warning Messages). */
export class PeerComplaints {
  readonly #context: ManagerContext;
  readonly #establishment: ChannelEstablishment;
  readonly #quarantine: ChannelQuarantine;

  constructor(context: ManagerContext, establishment: ChannelEstablishment, quarantine: ChannelQuarantine) {
    this.#context = context;
    this.#establishment = establishment;
    this.#quarantine = quarantine;
  }

  /** Fails the channel that it names, or with all zeros every channel of the peer. */
  receiveError(nodeId: string, { channelId, data }: MessageOf<'error'>): void {
    const text = printable(data);
    this.#context.parts.log(`error from ${nodeId.slice(0, 8)}: ${text}`);
    this.#blame(nodeId, channelId);
    const isForAll = equalBytes(channelId, ALL_CHANNELS);
    for (const entry of this.#context.channels.of(nodeId)) {
      if (!isForAll && !isNamedBy(channelId, entry)) continue;
      if (entry.frozen !== undefined || entry.state.kind === 'closed') continue;
      if (isOpen(entry)) this.#failedByPeer(entry, text);
      else if (!this.#establishment.askAgain(entry, text))
        this.#establishment.abandon(entry, `The peer refused the channel: ${text}`);
    }
  }

  /** For the log, and for a feerate of ours: what a warning is about only its words could say, so it counts as refused. */
  receiveWarning(nodeId: string, { channelId, data }: MessageOf<'warning'>): void {
    this.#context.parts.log(`warning from ${nodeId.slice(0, 8)}: ${printable(data)}`);
    this.#blame(nodeId, channelId);
    const isForAll = equalBytes(channelId, ALL_CHANNELS);
    for (const entry of this.#context.channels.of(nodeId))
      if (isOpen(entry) && (isForAll || isNamedBy(channelId, entry))) this.#refuseFeerate(entry);
  }

  /** It is not signed any more where it was not yet: on a new connection what was not signed need not be repeated. */
  #refuseFeerate(open: OpenEntry): void {
    const feerate = feerateUnderWay(open.state.commitments);
    if (feerate === undefined) return;
    const entry = this.#context.turn().touch(open);
    entry.refusedFeerate = feerate;
    entry.connection = 'disconnected';
    this.#context.peers.disconnect(entry.nodeId, 'the peer refused a feerate');
  }

  #failedByPeer(entry: OpenEntry, text: string): void {
    const mild = mildAnswer(text);
    if (mild === 'reconnect') return this.#context.peers.disconnect(entry.nodeId, `the peer said: ${text}`);
    if (mild === 'goOn') return;
    const reason: CloseReason = { kind: 'counterpartyError', message: text };
    if (entry.connection === 'connected') return this.#context.close(entry, reason, 'broadcast');
    // Before `channel_reestablish` nobody has confirmed that our state is the newest, and a peer that has closed already
    // says so first: to broadcast then could give everything away. What the peer broadcasts, the monitor sees.
    if (isUnseenAndUnused(entry.state)) this.#context.close(entry, reason, 'wait');
  }

  /** What is said about a channel counts against it if the peer leaves over it; what is said about all, against none. */
  #blame(nodeId: string, channelId: Uint8Array): void {
    for (const entry of this.#context.channels.of(nodeId))
      if (isNamedBy(channelId, entry)) this.#quarantine.blame(entry, this.#context.turn().now);
  }
}

/** BOLT 1: until `funding_signed` the fundee's errors name the temporary id, also where we have the final one already. */
function isNamedBy(channelId: Uint8Array, { key, state }: ChannelEntry): boolean {
  if (key === toHex(channelId)) return true;
  return state.kind === 'awaitingFundingSigned' && equalBytes(state.temporaryChannelId, channelId);
}

/**
 * A channel that its opener may have forgotten in good faith: the connection was lost between `funding_created` and
 * `funding_signed`, so its funding was never sent. There is nothing to broadcast; if the funding does come to be, the
 * monitor sees it.
 */
const isUnseenAndUnused = ({ params, funding, commitments }: OpenChannel): boolean =>
  !params.isOpener &&
  funding.kind === 'unconfirmed' &&
  commitments.holderCommit.number === 0 &&
  latestCounterpartyCommit(commitments).number === 0;
