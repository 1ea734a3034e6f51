import { GlowwormError } from '../primitives/errors.ts';
import { requestShutdown } from '../channel/channel-shutdown.ts';
import type { ClosedChannel } from '../channel/channel-state.ts';
import { quoteClosing, type ClosingQuote } from '../channel/closing-fees.ts';
import type { ChannelEstablishment } from './channel-establishment.ts';
import { channelIdOf, isOpen, type ChannelEntry, type OpenEntry } from './channel-entry.ts';
import { envOf, monitorOf, type ManagerContext } from './manager-context.ts';

/** What a person says yes to before a force close. */
export interface ForceCloseConsent {
  /**
   * Nothing has confirmed in this run that the channel's state is the newest. If this wallet is an older copy, its peer may
   * take all of the channel's money.
   */
  readonly unconfirmedState?: boolean;
}

/** What a person asks: to give up an opening, to close a channel together with its peer, or alone. */
export class ClosingRequests {
  readonly #context: ManagerContext;
  readonly #establishment: ChannelEstablishment;

  constructor(context: ManagerContext, establishment: ChannelEstablishment) {
    this.#context = context;
    this.#establishment = establishment;
  }

  /** As `ChannelManager.quoteClose`. */
  quote(key: string): ClosingQuote {
    const entry = this.#closable(key);
    return quoteClosing(envOf(this.#context, entry), entry.state, this.#context.parts.wallet.freshScript('change'));
  }

  /** As `ChannelManager.closeChannel`. */
  close(key: string, maxFeeSat?: bigint): void {
    const named = this.#context.channels.named(key);
    if (named.state.kind !== 'open' && named.state.kind !== 'closed') return this.#cancel(named);
    const { feeSat } = this.quote(key);
    if (maxFeeSat !== undefined && feeSat > maxFeeSat)
      throw new GlowwormError(
        'FeeTooHigh',
        `The network fee of the close is ${feeSat} sat now, above the ${maxFeeSat} sat that were agreed to. The channel stays open.`,
        { feeSat, maxFeeSat },
      );
    const entry = this.#closable(key);
    const acceptedSat = entry.state.params.isOpener ? maxFeeSat : undefined;
    this.#context.apply(
      entry,
      requestShutdown(entry.state, this.#context.parts.wallet.freshScript('change'), acceptedSat),
    );
  }

  /** Whether `forceClose` could do something, the consent given. */
  mayForceClose(entry: ChannelEntry): boolean {
    return entry.state.kind !== 'closed' || this.#whyNotReplaceable(entry) === undefined;
  }

  /** As `ChannelManager.forceCloseChannel`. */
  forceClose(key: string, consent: ForceCloseConsent): void {
    const entry = this.#context.channels.named(key);
    const { state } = entry;
    if (state.kind !== 'open' && state.kind !== 'closed') return this.#cancel(entry);
    const refusal = state.kind === 'closed' ? this.#whyNotReplaceable(entry) : undefined;
    if (refusal !== undefined) throw refusal;
    if (!entry.isConfirmed && consent.unconfirmedState !== true)
      throw new GlowwormError(
        'StateUnconfirmed',
        'The peer has not confirmed since the start that this device has the newest state of the channel. If this wallet is an older copy, the peer can take all of the channel’s money. Connect to the peer first, or confirm again.',
        { channelId: key },
      );
    this.#confirmState(entry);
    if (state.kind === 'open') this.#context.close(entry, { kind: 'holderForceClosed' }, 'broadcast');
    else this.#replace(entry, state);
    this.#context.peers.sendError(entry.nodeId, channelIdOf(entry), 'the channel was closed by its owner');
  }

  /** The owner has said that what there is may go out, also where it comes from a copy. */
  #confirmState(given: ChannelEntry): void {
    if (!monitorOf(this.#context, given).isCopy) return;
    const entry = this.#context.turn().touch(given);
    entry.steps = [...entry.steps, { kind: 'stateConfirmed' }];
  }

  /** A close that was agreed on, or that waits for the peer's, and is not in the chain: our commitment is as good. */
  #replace(given: ChannelEntry, state: ClosedChannel): void {
    const entry = this.#context.turn().touch(given);
    entry.state = { ...state, reason: { kind: 'holderForceClosed' } };
    entry.steps = [...entry.steps, { kind: 'channelForceClosed', holderCommitment: 'broadcast' }];
  }

  #closable(key: string): OpenEntry {
    const entry = this.#context.channels.named(key);
    if (!isOpen(entry))
      throw notOpen(
        key,
        entry.state.kind === 'closed' ? 'The channel is closed already.' : 'The channel is not open yet.',
      );
    if (entry.frozen === undefined) return entry;
    throw new GlowwormError(
      'ChannelFrozen',
      'An error of this program stopped the channel. Reload the page and try again, or close it alone.',
      { channelId: key },
    );
  }

  #whyNotReplaceable(entry: ChannelEntry): GlowwormError | undefined {
    const { confirmedSpend, closed } = monitorOf(this.#context, entry);
    if (confirmedSpend !== undefined || closed === 'broadcast')
      return notOpen(entry.key, 'The channel is closed already, and its transaction is on its way.');
    if (closed !== 'never') return undefined;
    return new GlowwormError(
      'ChannelStale',
      'This device has an old state of the channel: to broadcast it would give all its money away. Only the peer can close it.',
      { channelId: entry.key },
    );
  }

  #cancel(entry: ChannelEntry): void {
    this.#context.peers.sendError(entry.nodeId, channelIdOf(entry), 'the opening was cancelled');
    this.#establishment.abandon(entry, 'The opening was cancelled.');
  }
}

const notOpen = (channelId: string, message: string): GlowwormError =>
  new GlowwormError('ChannelNotOpen', message, { channelId });
