import type { PeerAddress } from '../../client/api.ts';
import type { GlowwormError } from '../../engine/primitives/errors.ts';

/** How bytes get to a peer and back. They arrive in order; how they are cut into chunks means nothing. */
export interface Transport {
  /** Starts a connection. Throws `AddressInvalid`; calls no handler before it returns. */
  connect(address: PeerAddress, handlers: TransportHandlers): Connection;
}

export interface TransportHandlers {
  opened(): void;
  data(bytes: Uint8Array): void;
  /**
   * Once, unless `close` was called before; nothing follows it. `PeerUnreachable` when no connection came about or the
   * other end turned out to be no proxy and no node; without a problem when an open connection just ended.
   */
  closed(problem?: GlowwormError): void;
}

export interface Connection {
  /** Bytes for a connection that is not open are dropped. */
  send(bytes: Uint8Array): void;
  /** What was sent still leaves. No handler is called any more. */
  close(): void;
}
