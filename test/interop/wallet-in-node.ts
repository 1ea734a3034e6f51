import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { WebSocket } from 'ws';
import type { WalletApi, WalletConfig, WalletEvent } from '../../worker/client/api.ts';
import type { ServedWallet } from '../../worker/client/endpoint.ts';
import type { WalletPlatform } from '../../worker/client/platform.ts';
import { openWalletOn } from '../../worker/client/wallet.ts';
import { platformTimers } from '../../worker/edges/transport/timers.ts';
import type { WebSocketPort } from '../../worker/edges/transport/websocket-transport.ts';
import type { World } from '../world/world.ts';
import { type DrivenWallet, Told, type WalletCalls } from './driven-wallet.ts';

/** The whole wallet in this process: real timers and sockets, and a database in memory that survives restarts. */
export class NodeWallet implements DrivenWallet {
  readonly api: WalletCalls = this.#calls();
  readonly told: Told;
  /** Added to the wallet's clock. */
  clockSkewMs = 0;
  readonly #config: WalletConfig;
  readonly #database: IDBFactory = new IDBFactory();
  #wallet: ServedWallet | undefined;

  private constructor(config: WalletConfig, onChange: () => void) {
    this.#config = config;
    this.told = new Told(onChange);
  }

  static async open(config: WalletConfig, onChange: () => void): Promise<NodeWallet> {
    const wallet = new NodeWallet(config, onChange);
    await wallet.#open();
    return wallet;
  }

  /** On the chain of a world, which learns of its changes. */
  static openIn({ esplora, changes }: World): Promise<NodeWallet> {
    return NodeWallet.open({ network: 'regtest', esploraUrls: [esplora.url] }, () => changes.notify());
  }

  async close(): Promise<void> {
    await this.#wallet?.close();
    this.#wallet = undefined;
  }

  /** Closes and opens it; `onRedelivered` hears the events that the start brings. */
  async restart(onRedelivered: (event: WalletEvent) => void = () => undefined): Promise<void> {
    await this.close();
    await this.#open(onRedelivered);
  }

  async #open(onRedelivered: (event: WalletEvent) => void = () => undefined): Promise<void> {
    globalThis.indexedDB = this.#database;
    this.#wallet = await openWalletOn(this.#config, this.#platform());
    let listener = onRedelivered;
    this.#wallet.subscribe((update) => {
      if (update.kind === 'event') listener(update.event);
      this.told.update(update);
    });
    listener = () => undefined;
  }

  #calls(): WalletCalls {
    const call = async (name: keyof WalletApi, args: readonly unknown[]): Promise<unknown> => {
      if (this.#wallet === undefined) throw new Error('the wallet is closed');
      const method = this.#wallet[name] as (...args: readonly unknown[]) => unknown;
      return method.apply(this.#wallet, [...args]);
    };
    const target = {} as WalletCalls;
    return new Proxy(target, {
      get:
        (_target, name) =>
        (...args: readonly unknown[]) =>
          call(name as keyof WalletApi, args),
    });
  }

  #platform(): WalletPlatform {
    return {
      fetch: (url, init) => fetch(url, init),
      connectWebSocket: (url) => new WebSocket(url) as WebSocketPort,
      entropy: { getSecureRandomBytes: () => crypto.getRandomValues(new Uint8Array(32)) },
      timers: { ...platformTimers, now: () => Date.now() + this.clockSkewMs },
      storage: {},
      soon: (callback) => void setImmediate(callback),
    };
  }
}
