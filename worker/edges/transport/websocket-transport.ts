import type { PeerAddress } from '../../client/api.ts';
import { GlowwormError } from '../../engine/primitives/errors.ts';
import type { Timers } from './timers.ts';
import type { Connection, Transport, TransportHandlers } from './transport.ts';
import { peerUrl } from './websocket-url.ts';

/** What is used of a `WebSocket`. */
export interface WebSocketPort {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(kind: 'open' | 'close' | 'error', listener: () => void): void;
  addEventListener(kind: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

export interface WebSocketTransportOptions {
  readonly timers: Timers;
  readonly connectWebSocket: (url: string) => WebSocketPort;
}

/** A connection that is not open by then counts as unreachable: a browser itself waits for minutes. */
export const CONNECT_TIMEOUT_MS: number = 15_000;

/** More bytes than this that the network does not take mean a stalled connection; it holds many of the largest messages. */
export const MAX_BUFFERED_BYTES: number = 8 * 1024 * 1024;

/** Connections over WebSocket, direct or through a proxy to TCP. */
export class WebSocketTransport implements Transport {
  readonly #options: WebSocketTransportOptions;

  constructor(options: WebSocketTransportOptions) {
    this.#options = options;
  }

  connect(address: PeerAddress, handlers: TransportHandlers): Connection {
    return new WebSocketConnection(this.#options, peerUrl(address), handlers);
  }
}

const OPEN = 1;

class WebSocketConnection implements Connection {
  readonly #socket: WebSocketPort;
  readonly #timers: Timers;
  readonly #timeout: unknown;
  #handlers: TransportHandlers | undefined;
  #wasOpen = false;

  constructor({ timers, connectWebSocket }: WebSocketTransportOptions, url: string, handlers: TransportHandlers) {
    this.#timers = timers;
    this.#handlers = handlers;
    this.#socket = created(connectWebSocket, url);
    this.#timeout = timers.setTimeout(() => this.#fail(unreachable('nothing answered in time')), CONNECT_TIMEOUT_MS);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.addEventListener('open', () => this.#opened());
    this.#socket.addEventListener('message', ({ data }) => this.#received(data));
    // Always followed by `close`; listened to because a socket in Node throws where nobody listens.
    this.#socket.addEventListener('error', () => undefined);
    this.#socket.addEventListener('close', () => this.#fail(this.#wasOpen ? undefined : unreachable('it was refused')));
  }

  send(bytes: Uint8Array): void {
    if (this.#handlers === undefined || this.#socket.readyState !== OPEN) return;
    if (this.#socket.bufferedAmount + bytes.length > MAX_BUFFERED_BYTES)
      return this.#fail(unreachable('it takes no more bytes'));
    this.#socket.send(Uint8Array.from(bytes));
  }

  close(): void {
    this.#handlers = undefined;
    this.#timers.clearTimeout(this.#timeout);
    this.#socket.close();
  }

  #opened(): void {
    this.#timers.clearTimeout(this.#timeout);
    this.#wasOpen = true;
    this.#handlers?.opened();
  }

  #received(data: unknown): void {
    if (data instanceof ArrayBuffer) this.#handlers?.data(new Uint8Array(data));
    else this.#fail(unreachable('what answers there sends text, so it is neither a node nor a proxy to one'));
  }

  #fail(problem: GlowwormError | undefined): void {
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    this.close();
    if (problem === undefined) handlers.closed();
    else handlers.closed(problem);
  }
}

const unreachable = (why: string): GlowwormError =>
  new GlowwormError('PeerUnreachable', `No connection to the peer: ${why}. Check its address and the network.`);

/** A browser throws for what its policy forbids, such as `ws://` on a page that came over HTTPS. */
function created(connectWebSocket: (url: string) => WebSocketPort, url: string): WebSocketPort {
  try {
    return connectWebSocket(url);
  } catch {
    throw new GlowwormError(
      'AddressInvalid',
      'The browser refuses to connect to this address; it may have to be wss://.',
    );
  }
}
