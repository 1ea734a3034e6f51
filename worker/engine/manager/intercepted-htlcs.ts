import { fromHex, toHex } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { sha256 } from '../primitives/hash.ts';
import { UndoableMap } from '../primitives/undo-log.ts';
import { ByteWriter } from '../wire/writer.ts';
import { InterceptScids } from './intercept-scids.ts';
import type { ManagerContext } from './manager-context.ts';
import type { RelayedHtlc } from './relayed-htlc.ts';

/** Which payments of others the app decides upon, beside those to names of `interceptScid`. */
export interface InterceptionRules {
  /** Those over a channel that there is not. */
  readonly unknownScids?: boolean;
  /** Those to a peer that is away. */
  readonly offlinePeers?: boolean;
  /** Those to these peers, by node id in hex. */
  readonly peers?: readonly string[];
}

/** A payment of others that waits for the app's decision. */
export interface InterceptedHtlc {
  /** 32 bytes in hex; the same after a restart. */
  readonly interceptId: string;
  readonly relayed: RelayedHtlc;
}

/** Payments of others that the app decides upon: each is told by an event, and held until it is decided, or its expiry is too near. */
export class InterceptedHtlcs {
  readonly #context: ManagerContext;
  readonly #scids: InterceptScids;
  readonly #held: UndoableMap<string, RelayedHtlc>;

  constructor(context: ManagerContext) {
    this.#context = context;
    this.#scids = new InterceptScids(context.parts.interceptKey);
    this.#held = new UndoableMap(() => context.turn().undo);
  }

  all(): readonly InterceptedHtlc[] {
    return [...this.#held].map(([interceptId, relayed]) => ({ interceptId, relayed }));
  }

  /** The name of a channel that there is not, for the invoices of those whose payments are to be held here. */
  newScid(): bigint {
    return this.#scids.make(this.#context.parts.entropy.getSecureRandomBytes());
  }

  /** Whether one is to be held. `peer` has the channel that it names; without one there is none. */
  concerns(
    { shortChannelId }: RelayedHtlc,
    peer: { readonly nodeId: string; readonly isAway: boolean } | undefined,
  ): boolean {
    const { unknownScids = false, offlinePeers = false, peers = [] } = this.#context.parts.interception ?? {};
    if (peer === undefined) return unknownScids || this.#scids.has(shortChannelId);
    return (offlinePeers && peer.isAway) || peers.includes(peer.nodeId);
  }

  /** Held again after a restart, it is told again only where the app has acknowledged the event before. */
  hold(relayed: RelayedHtlc): void {
    const id = interceptIdOf(relayed);
    this.#held.set(id, relayed);
    const { events } = this.#context;
    if (!events.isPending('htlcIntercepted', id)) events.note('htlcIntercepted', id, relayed.amtToForward, '');
  }

  has(relayed: RelayedHtlc): boolean {
    return this.#held.has(interceptIdOf(relayed));
  }

  /** Throws `InterceptGone`. */
  named(interceptId: string): RelayedHtlc {
    const relayed = this.#held.get(interceptId);
    if (relayed === undefined)
      throw new GlowwormError('InterceptGone', 'This payment does not wait any more.', { interceptId });
    return relayed;
  }

  /** It is decided, or gone: nobody has to hear of it any more. */
  release(relayed: RelayedHtlc): void {
    const id = interceptIdOf(relayed);
    this.#held.delete(id);
    this.#context.events.withdraw('htlcIntercepted', id);
  }
}

/** Of the inbound HTLC, which there is only once. */
function interceptIdOf({ channelKey, htlc }: RelayedHtlc): string {
  const writer = new ByteWriter();
  writer.bytes(fromHex(channelKey));
  writer.u64(htlc.id);
  return toHex(sha256(writer.finish()));
}
