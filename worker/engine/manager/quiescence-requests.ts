import { requestQuiescence } from '../channel/channel-quiescence.ts';
import type { Owner } from '../channel/commitment-costs.ts';
import { hasFeature } from '../wire/features.ts';
import { isUsable, type ChannelEntry } from './channel-entry.ts';
import type { ManagerContext } from './manager-context.ts';

/** Makes channels quiescent, for whatever changes what they stand on; as yet nothing does, and they are met anew. */
export class QuiescenceRequests {
  readonly #context: ManagerContext;

  constructor(context: ManagerContext) {
    this.#context = context;
  }

  /** As `ChannelManager.quiesce`. */
  quiesce(key: string): boolean {
    const entry = this.#context.channels.get(key);
    if (entry === undefined || !isUsable(entry) || !this.#mayQuiesce(entry)) return false;
    const requested = requestQuiescence(entry.state);
    if (requested.state === entry.state) return false;
    this.#context.apply(entry, requested);
    return true;
  }

  /** A channel is quiescent. Ours ends at once, by a new connection; the counterparty's is for it to use and to end. */
  reached({ nodeId }: ChannelEntry, initiator: Owner): void {
    if (initiator === 'holder') this.#context.peers.disconnect(nodeId, QUIESCED);
  }

  /** BOLT 2, Channel Quiescence: `stfu` only where `option_quiesce` is negotiated, and we always offer it. */
  #mayQuiesce({ nodeId }: ChannelEntry): boolean {
    const features = this.#context.peers.get(nodeId)?.features;
    return features !== undefined && hasFeature(features, 'option_quiesce');
  }
}

const QUIESCED = 'the channel was quiescent';
