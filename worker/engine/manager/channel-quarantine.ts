import type { MessageOf } from '../wire/message.ts';
import type { ChannelEntry } from './channel-entry.ts';

/** So many connections in a row may a channel end before it is set apart. */
const MOST_ENDED = 3;
/** A peer that leaves over what it said about a channel does so at once: what ends a connection later has other reasons. */
const BLAME_MS = 30_000;
/** A connection on which the channel worked for so long is not one that it ends each time: lnd says an error when it stops. */
const WORKED_MS = 10 * 60_000;

type Reestablish = MessageOf<'channel_reestablish'>;

interface Conduct {
  readonly endedConnections: number;
  /** When something was said, on the present connection, that may end it. */
  readonly blamedAt: number | undefined;
  /** When it was re-established on the present connection. */
  readonly connectedAt: number | undefined;
}

const GOOD: Conduct = { endedConnections: 0, blamedAt: undefined, connectedAt: undefined };

/**
 * Channels that end every connection with their peer, and with it the use of its other channels: they are not
 * re-established until something changes. That is a new block (the funding may confirm, heights and feerates move on),
 * which gives them one more try; the owner who connects; or a restart, for nothing of this is stored.
 */
export class ChannelQuarantine {
  readonly #conducts = new WeakMap<ChannelEntry, Conduct>();
  readonly #held = new WeakMap<ChannelEntry, { readonly connectionId: number; readonly message: Reestablish }>();

  isSetApart(entry: ChannelEntry): boolean {
    return this.#of(entry).endedConnections >= MOST_ENDED;
  }

  /** The channel is re-established. */
  connected(entry: ChannelEntry, now: number): void {
    this.#conducts.set(entry, { ...this.#of(entry), connectedAt: now });
  }

  /** We or the peer said something about the channel that ends connections. */
  blame(entry: ChannelEntry, now: number): void {
    this.#conducts.set(entry, { ...this.#of(entry), blamedAt: now });
  }

  /** The connection is over. One that a working channel did not end clears it of all before. */
  disconnected(entry: ChannelEntry, now: number): void {
    const { endedConnections, blamedAt, connectedAt } = this.#of(entry);
    const before = connectedAt !== undefined && now - connectedAt >= WORKED_MS ? 0 : endedConnections;
    if (blamedAt !== undefined && now - blamedAt <= BLAME_MS)
      this.#conducts.set(entry, { ...GOOD, endedConnections: before + 1 });
    else if (entry.connection === 'connected') this.#conducts.delete(entry);
    else this.#conducts.set(entry, { ...GOOD, endedConnections });
  }

  /** There is a new block. */
  allowOneTry(entry: ChannelEntry): void {
    if (this.isSetApart(entry)) this.#conducts.set(entry, { ...GOOD, endedConnections: MOST_ENDED - 1 });
  }

  /** The owner wants it. */
  release(entry: ChannelEntry): void {
    this.#conducts.delete(entry);
  }

  /** Keeps what the peer says once in a connection of a channel that is set apart, for when it is tried again. */
  hold(entry: ChannelEntry, connectionId: number, message: Reestablish): void {
    this.#held.set(entry, { connectionId, message });
  }

  held(entry: ChannelEntry, connectionId: number): Reestablish | undefined {
    const held = this.#held.get(entry);
    return held?.connectionId === connectionId ? held.message : undefined;
  }

  #of(entry: ChannelEntry): Conduct {
    return this.#conducts.get(entry) ?? GOOD;
  }
}
