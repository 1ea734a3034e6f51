import { toHex } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { availableToSendMsat } from '../channel/channel-limits.ts';
import type { FirstHop } from '../routing/path.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { isOpen, isUsable, type ChannelEntry, type OpenEntry } from './channel-entry.ts';

/** Every channel of this run by its key: those being opened, the open and the closed ones. */
export class ChannelTable {
  readonly #entries = new Map<string, ChannelEntry>();

  all(): readonly ChannelEntry[] {
    return [...this.#entries.values()];
  }

  of(nodeId: string): readonly ChannelEntry[] {
    return this.all().filter((entry) => entry.nodeId === nodeId);
  }

  get(key: string): ChannelEntry | undefined {
    return this.#entries.get(key);
  }

  /** The channel that a person asks something of. Throws `ChannelUnknown`, `ChannelNotOpen`. */
  openEntry(key: string): OpenEntry {
    const entry = this.#entries.get(key);
    if (entry === undefined) throw new GlowwormError('ChannelUnknown', 'There is no such channel.', { channelId: key });
    if (!isOpen(entry) || entry.frozen !== undefined)
      throw new GlowwormError('ChannelNotOpen', 'The channel is not open.', { channelId: key });
    return entry;
  }

  add(entry: ChannelEntry): void {
    this.#entries.set(entry.key, entry);
  }

  remove({ key }: ChannelEntry): void {
    this.#entries.delete(key);
  }

  /** With its funding outpoint a channel gets the id that it keeps. */
  rekey(entry: ChannelEntry, { channelId }: ChannelParameters): void {
    this.remove(entry);
    entry.key = toHex(channelId);
    this.add(entry);
  }

  firstHops(): readonly FirstHop[] {
    return this.all()
      .filter(isUsable)
      .map(({ key, state }) => ({
        channelKey: key,
        counterpartyNodeId: state.params.counterpartyNodeId,
        availableMsat: availableToSendMsat(state.params, state.commitments),
      }));
  }
}
