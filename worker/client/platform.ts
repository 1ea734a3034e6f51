import type { StoragePort } from '../edges/storage/wallet-marker.ts';
import { platformTimers, type Timers } from '../edges/transport/timers.ts';
import type { WebSocketPort } from '../edges/transport/websocket-transport.ts';
import type { EntropySource } from '../engine/keys/ports.ts';

/** What a wallet needs of the place that it runs in; `platformOf(globalThis)` in a worker. */
export interface WalletPlatform {
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly connectWebSocket: (url: string) => WebSocketPort;
  readonly entropy: EntropySource;
  readonly timers: Timers;
  readonly storage: StoragePort;
  /** Calls back after what has arrived already was handled. */
  readonly soon: (callback: () => void) => void;
}

/** The platform of a Web Worker, from its global scope. */
export function platformOf(scope: typeof globalThis): WalletPlatform {
  return {
    fetch: (url, init) => scope.fetch(url, init),
    connectWebSocket: (url) => new scope.WebSocket(url),
    entropy: { getSecureRandomBytes: () => scope.crypto.getRandomValues(new Uint8Array(32)) },
    timers: platformTimers,
    storage: scope.navigator.storage,
    soon: soonOf(new scope.MessageChannel()),
  };
}

/** A task of its own, without the four milliseconds that nested timers wait. */
function soonOf({ port1, port2 }: MessageChannel): WalletPlatform['soon'] {
  const queue: (() => void)[] = [];
  port1.onmessage = () => queue.shift()?.();
  return (callback) => {
    queue.push(callback);
    port2.postMessage(undefined);
  };
}
