import type { ChainPlatform } from '../../worker/edges/chain/platform.ts';
import type { WebSocketPort } from '../../worker/edges/transport/websocket-transport.ts';
import type { PeerAddress, PeerConfig, PeerStatus, WalletConfig } from '../../worker/client/api.ts';
import { chainHashOf } from '../../worker/client/chain-hash.ts';
import { LightningNode } from '../../worker/client/lightning-node.ts';
import { localFeatures } from '../../worker/client/peers/local-features.ts';
import { initMessage } from '../../worker/client/peers/peer-init.ts';
import type { EngineEvent } from '../../worker/engine/manager/engine-event.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import type { Message } from '../../worker/engine/wire/message.ts';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { FakePlatform, type Answer } from '../edges/chain/fake-platform.ts';
import { FakeTimers } from '../edges/transport/fake-timers.ts';
import { MemoryDisk, type MemoryStore } from '../simulation/memory-store.ts';
import { FakeConnection } from './peers/fake-peer.ts';
import { pong } from './peers/fixtures.ts';

/** Of regtest: its first block is all of the chain. */
const GENESIS_HASH = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206';
const GENESIS_HEADER =
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000';
const UNUSED = { tx_count: 0 };
/** The words of every such node. */
export const MNEMONIC = 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

const address: PeerAddress = { kind: 'websocket', url: 'wss://peer.example' };

/** A peer of the node by the byte that its secret key is filled with. */
export const peerOf = (secretByte: number): PeerConfig => ({
  nodeId: toHex(secp.publicKey(new Uint8Array(32).fill(secretByte))),
  address: { ...address, url: `wss://peer.example/${secretByte}` },
});

/** A WebSocket whose other end is a Lightning node that greets and answers pings. */
class PeerSocket implements WebSocketPort {
  binaryType = 'blob';
  readyState = 0;
  readonly bufferedAmount = 0;
  /** Whether its peer says nothing any more, as one that is gone. */
  isSilent = false;
  readonly #peer: FakeConnection;
  readonly #listeners: Record<string, (event: { readonly data: unknown }) => void> = {};

  constructor(url: string) {
    const emit = (kind: string, data?: unknown): void => this.#listeners[kind]?.({ data });
    const handlers = {
      opened: () => emit('open'),
      data: (bytes: Uint8Array) => emit('message', Uint8Array.from(bytes).buffer),
      closed: () => emit('close'),
    };
    const secret = new Uint8Array(32).fill(Number(url.split('/').at(-1)));
    this.#peer = new FakeConnection(address, handlers, secret);
  }

  addEventListener(kind: string, listener: (event: { readonly data: unknown }) => void): void {
    this.#listeners[kind] = listener;
  }

  send(bytes: Uint8Array): void {
    this.#peer.send(bytes);
  }

  close(): void {
    this.readyState = 3;
    this.#peer.close();
  }

  /** The peer says something. */
  say(...messages: readonly Message[]): void {
    this.#peer.say(...messages);
  }

  /** The network and the peer get to do something. */
  turn(): void {
    if (this.readyState === 0) {
      this.readyState = 1;
      this.#peer.greet(initMessage(localFeatures, chainHashOf('regtest')));
    } else if (this.readyState === 1 && !this.isSilent)
      for (const { kind } of this.#peer.read()) if (kind === 'ping') this.#peer.say(pong);
  }
}

/** A whole node on a platform whose clock, network and disk do as they are told. */
export class FakeNode {
  readonly timers: FakeTimers = new FakeTimers();
  readonly sockets: PeerSocket[] = [];
  readonly node: LightningNode;
  /** Whether the Esplora server answers. */
  isChainThere = true;
  /** What it says beside that there is nothing, by path. */
  readonly replies = new Map<string, unknown>();
  /** The paths that it was asked for. */
  readonly asked: string[] = [];
  /** How often a page was told that something has changed. */
  changes = 0;
  readonly log: string[] = [];
  /** What a page was told. */
  readonly events: EngineEvent[] = [];
  readonly store: MemoryStore;

  /** Its server knows of no block but the first, where no other is given. */
  constructor(
    peers: readonly PeerConfig[],
    disk: MemoryDisk = new MemoryDisk(),
    server: Pick<ChainPlatform, 'fetch'> = new FakePlatform((path) => (this.isChainThere ? this.reply(path) : 'drop')),
    config: Partial<WalletConfig> = {},
  ) {
    this.store = disk.open();
    let entropy = 0;
    this.node = new LightningNode({
      config: { network: 'regtest', esploraUrls: ['http://esplora.test'], peers, ...config },
      secret: { mnemonic: MNEMONIC, network: config.network ?? 'regtest', searched: true, firstKeysIndex: 0 },
      platform: {
        fetch: server.fetch,
        connectWebSocket: (url) => this.#connect(url),
        entropy: { getSecureRandomBytes: () => new Uint8Array(32).fill(++entropy) },
        timers: this.timers,
        storage: {},
        soon: (callback) => void setImmediate(callback),
      },
      store: this.store,
      origin: 'ownStore',
      log: (line) => void this.log.push(line),
      changed: () => void this.changes++,
      event: (event) => void this.events.push(event),
    });
    void this.node.start();
  }

  get peers(): readonly PeerStatus['state'][] {
    return this.node.peers.statuses().map(({ state }) => state);
  }

  /** Lets time pass in small steps, after each of which everything that is due has happened. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += STEP_S) {
      this.timers.advance(STEP_S * 1_000);
      await this.#settle();
    }
  }

  async stop(): Promise<void> {
    const stopped = this.node.stop();
    await this.#settle();
    await stopped;
  }

  /** What the Esplora server says while it answers. */
  reply(path: string): Answer {
    this.asked.push(path);
    const reply = this.replies.get(path);
    if (reply === undefined) return esploraReply(path);
    return { body: typeof reply === 'string' ? reply : JSON.stringify(reply) };
  }

  async #settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      for (const socket of this.sockets) socket.turn();
      await new Promise((resolve) => setImmediate(resolve));
      this.store.completeAll();
    }
  }

  #connect(url: string): WebSocketPort {
    const socket = new PeerSocket(url);
    this.sockets.push(socket);
    return socket;
  }
}

const STEP_S = 5;

function esploraReply(path: string): Answer {
  const json = (value: unknown): Answer => ({ body: JSON.stringify(value) });
  if (path === '/blocks/tip/height') return json(0);
  if (path === '/blocks/tip/hash' || path === '/block-height/0') return { body: GENESIS_HASH };
  if (path === `/block/${GENESIS_HASH}/header`) return { body: GENESIS_HEADER };
  if (path === '/fee-estimates') return json({});
  return json({ chain_stats: UNUSED, mempool_stats: UNUSED });
}
