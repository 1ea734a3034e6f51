import { RegtestChain } from './chain.ts';
import { Changes } from './changes.ts';
import { EsploraServer, type EsploraServerOptions } from './esplora.ts';
import { LdkNode } from './ldk-node.ts';
import { WebSocketProxy } from './proxy.ts';

export interface WorldOptions {
  /** Ports to listen on; a free one where absent. */
  readonly ports?: Readonly<Partial<Record<keyof WorldPorts, number>>>;
  /** Whether alice accepts channels without a confirmation; can be switched later. */
  readonly zeroConf?: boolean;
  /** Leave bob out: a quicker start for tests that need no second node. */
  readonly withoutBob?: boolean;
  /** Size of the channel between alice and bob, half of it on each side; 10,000,000 sat when absent, and none for 0. */
  readonly linkSats?: number;
  /** Of the Esplora server. */
  readonly esplora?: EsploraServerOptions;
}

export interface WorldPorts {
  readonly esplora: number;
  readonly aliceTcp: number;
  readonly aliceWebSocket: number;
  readonly bobTcp: number;
  readonly bobWebSocket: number;
  readonly proxy: number;
}

/** Where a wallet finds the world; also served as `/world.json`. */
export interface WorldAddresses {
  readonly network: 'regtest';
  readonly esploraUrl: string;
  readonly proxyUrl: string;
  readonly peer: PeerAddress;
  /** The node behind `peer`, which only a payment through it reaches. */
  readonly recipient: PeerAddress | null;
}

export interface PeerAddress {
  readonly nodeId: string;
  readonly host: string;
  readonly port: number;
  readonly wsUrl: string;
}

const NODE_COINS_SATS = 1_000_000_000;
const LINK_SATS = 10_000_000;
const FUNDING_CONFIRMATIONS = 6;
const RECONNECT_INTERVAL_MS = 500;
const QUIET_TURNS = 3;

/** A whole Lightning network in this process: a chain, an Esplora server, two LDK nodes in a row, and a proxy. */
export class World {
  readonly chain: RegtestChain;
  readonly esplora: EsploraServer;
  readonly proxy: WebSocketProxy = new WebSocketProxy();
  readonly changes: Changes;
  readonly ports: WorldPorts;
  readonly nodes: ReadonlyMap<string, LdkNode>;
  #linkTimer: NodeJS.Timeout | undefined;
  #linking = false;

  private constructor(parts: WorldParts) {
    this.chain = parts.chain;
    this.changes = parts.changes;
    this.nodes = parts.nodes;
    this.esplora = new EsploraServer(parts.chain, parts.esplora);
    this.ports = parts.ports;
  }

  /** Starts everything; with bob, also opens his channel with alice and waits until it is usable. */
  static async start(options: WorldOptions = {}): Promise<World> {
    const chain = await RegtestChain.start();
    const changes = new Changes();
    const nodes = new Map<string, LdkNode>();
    nodes.set('alice', await LdkNode.start(chain, { name: 'alice', changes, zeroConf: options.zeroConf ?? false }));
    if (options.withoutBob !== true) nodes.set('bob', await LdkNode.start(chain, { name: 'bob', changes }));
    const ports: { -readonly [K in keyof WorldPorts]: number } = { ...NO_PORTS, ...options.ports };
    const world = new World({ chain, changes, nodes, ports, esplora: options.esplora ?? {} });
    ports.esplora = await world.esplora.listen(ports.esplora);
    ports.proxy = await world.proxy.listen(ports.proxy);
    ports.aliceTcp = await world.alice.sockets.listenTcp(ports.aliceTcp);
    ports.aliceWebSocket = await world.alice.sockets.listenWebSocket(ports.aliceWebSocket);
    const bob = nodes.get('bob');
    if (bob !== undefined) {
      ports.bobTcp = await bob.sockets.listenTcp(ports.bobTcp);
      ports.bobWebSocket = await bob.sockets.listenWebSocket(ports.bobWebSocket);
    }
    for (const node of nodes.values()) await chain.fund(node.wallet.address, NODE_COINS_SATS);
    await chain.mine(1);
    const linkSats = options.linkSats ?? LINK_SATS;
    if (bob !== undefined && linkSats > 0) await world.#link(bob, linkSats);
    return world;
  }

  async stop(): Promise<void> {
    clearInterval(this.#linkTimer);
    await this.proxy.stop();
    await this.esplora.stop();
    for (const node of this.nodes.values()) await node.stop();
    await this.chain.stop();
  }

  /** The peer of the wallet under test. */
  get alice(): LdkNode {
    return this.node('alice');
  }

  /** The node behind alice. */
  get bob(): LdkNode {
    return this.node('bob');
  }

  node(name: string): LdkNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node is called ${name}`);
    return node;
  }

  get addresses(): WorldAddresses {
    const { aliceTcp, aliceWebSocket, bobTcp, bobWebSocket } = this.ports;
    return {
      network: 'regtest',
      esploraUrl: this.esplora.url,
      proxyUrl: this.proxy.url,
      peer: addressOf(this.alice, aliceTcp, aliceWebSocket),
      recipient: this.nodes.has('bob') ? addressOf(this.bob, bobTcp, bobWebSocket) : null,
    };
  }

  /** Mines once the nodes have broadcast what they were about to. */
  async mine(blocks = 1): Promise<number> {
    await this.settle();
    const tip = await this.chain.mine(blocks);
    await this.settle();
    return tip.height;
  }

  async reorg(depth: number, options: { readonly keepOut?: boolean } = {}): Promise<number> {
    await this.settle();
    const tip = await this.chain.reorg(depth, options);
    await this.settle();
    return tip.height;
  }

  /** Pays an address from the faucet and, unless told not to, mines the payment. */
  async fund(address: string, sats: number, options: { readonly unconfirmed?: boolean } = {}): Promise<string> {
    const txid = await this.chain.fund(address, sats);
    if (options.unconfirmed !== true) await this.mine(1);
    return txid;
  }

  /** Lets every node finish its turns, and the sockets between them deliver. */
  async settle(): Promise<void> {
    for (let i = 0; i < QUIET_TURNS; i++) {
      for (const node of this.nodes.values()) node.turn();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Resolves once `condition` gives a value; see `Changes.until`. */
  until<T>(what: string, condition: () => T | undefined | false, timeoutMs?: number): Promise<T> {
    return this.changes.until(what, condition, timeoutMs);
  }

  async #link(bob: LdkNode, sats: number): Promise<void> {
    await this.#reconnect(bob);
    await this.until(
      'bob connected to alice',
      () => bob.isConnectedTo(this.alice.id) && this.alice.isConnectedTo(bob.id),
    );
    this.alice.open({ nodeId: bob.id, sats, pushMsat: (sats / 2) * 1000 });
    await this.alice.event('Broadcast');
    await this.mine(FUNDING_CONFIRMATIONS);
    const usable = (node: LdkNode): boolean => node.channels().some((channel) => channel.usable);
    await this.until('the channel between alice and bob', () => usable(bob) && usable(this.alice));
    this.#linkTimer = setInterval(() => void this.#reconnect(bob).catch(() => undefined), RECONNECT_INTERVAL_MS);
  }

  /** Bob comes back to alice whenever one of them was restarted or cut off. */
  async #reconnect(bob: LdkNode): Promise<void> {
    if (this.#linking || bob.isConnectedTo(this.alice.id)) return;
    this.#linking = true;
    try {
      await bob.sockets.connectTcp(this.alice.id, this.ports.aliceTcp);
    } finally {
      this.#linking = false;
    }
  }
}

interface WorldParts {
  readonly chain: RegtestChain;
  readonly changes: Changes;
  readonly nodes: ReadonlyMap<string, LdkNode>;
  readonly ports: WorldPorts;
  readonly esplora: EsploraServerOptions;
}

const NO_PORTS: WorldPorts = { esplora: 0, aliceTcp: 0, aliceWebSocket: 0, bobTcp: 0, bobWebSocket: 0, proxy: 0 };

function addressOf(node: LdkNode, port: number, webSocketPort: number): PeerAddress {
  return { nodeId: node.id, host: '127.0.0.1', port, wsUrl: `ws://127.0.0.1:${webSocketPort}` };
}
