import { toHex } from '../primitives/bytes.ts';
import { assert, GlowwormError } from '../primitives/errors.ts';
import { UndoableMap, type UndoLog } from '../primitives/undo-log.ts';
import { availableToSendMsat } from '../channel/channel-limits.ts';
import { fundingIsDeep } from '../channel/channel-ready.ts';
import type { FirstHop } from '../routing/route.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { isReady, type ChannelEntry, type TouchedEntry } from './channel-entry.ts';

/** Every channel of this run by its key: those being opened, the open and the closed ones. */
export class ChannelTable {
  readonly #entries: UndoableMap<string, ChannelEntry>;

  constructor(undo: () => UndoLog | undefined) {
    this.#entries = new UndoableMap(undo);
  }

  all(): readonly ChannelEntry[] {
    return [...this.#entries.values()];
  }

  of(nodeId: string): readonly ChannelEntry[] {
    return this.all().filter((entry) => entry.nodeId === nodeId);
  }

  get(key: string): ChannelEntry | undefined {
    return this.#entries.get(key);
  }

  /** The channel that a person asks something of. Throws `ChannelUnknown`. */
  named(key: string): ChannelEntry {
    const entry = this.#entries.get(key);
    if (entry === undefined) throw new GlowwormError('ChannelUnknown', 'There is no such channel.', { channelId: key });
    return entry;
  }

  add(entry: ChannelEntry): void {
    this.#entries.set(entry.key, entry);
  }

  remove({ key }: ChannelEntry): void {
    this.#entries.delete(key);
  }

  /** With its funding outpoint a channel gets the id that it keeps; the id must be free. */
  rekey(entry: TouchedEntry, { channelId }: ChannelParameters): void {
    this.remove(entry);
    entry.key = toHex(channelId);
    assert(!this.#entries.has(entry.key), 'no two channels have one id');
    this.add(entry);
  }

  firstHops(blockHeight: number): readonly FirstHop[] {
    return this.all()
      .filter(isReady)
      .filter(({ state }) => fundingIsDeep(state, blockHeight))
      .map(({ key, state, connection }) => ({
        channelKey: key,
        counterpartyNodeId: state.params.counterpartyNodeId,
        availableMsat: availableToSendMsat(state.params, state.commitments),
        isOffline: connection !== 'connected',
      }));
  }
}
