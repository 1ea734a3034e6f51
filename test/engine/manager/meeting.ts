import { fromUtf8 } from '../../../worker/engine/primitives/bytes.ts';
import type { ChannelEntry } from '../../../worker/engine/manager/channel-entry.ts';
import { decodeMessage, type Message, type MessageKind, type MessageOf } from '../../../worker/engine/wire/message.ts';
import { MemoryDisk, type MemoryStore } from '../../simulation/memory-store.ts';
import { SimulatedNode } from '../../simulation/node.ts';
import { startOf, type StartName } from '../../simulation/starts.ts';
import type { SideName, WorldStart } from '../../simulation/world-start.ts';

interface Member {
  readonly node: SimulatedNode;
  readonly store: MemoryStore;
}

/** A node and its peer, an honest engine whose messages a test withholds or invents. */
export class Meeting {
  /** What the peer says and the node never hears. */
  withheld: (message: Message) => boolean = () => false;
  /** Nothing that the node says arrives. */
  isPeerDeaf = false;
  /** Why the node ended a connection. */
  readonly ended: string[] = [];
  now = 1_700_000_000_000;
  height: number;
  /** What the node has said since it was last read. */
  readonly #said: Message[] = [];
  /** The same of the peer. */
  readonly #saidByPeer: Message[] = [];
  readonly #node: Member;
  readonly #peer: Member;
  #connectionId = 0;
  #isConnected = false;

  constructor(start: WorldStart, name: SideName) {
    this.#node = this.#begin(start, name);
    this.#peer = this.#begin(start, name === 'a' ? 'b' : 'a');
    this.height = start.chain.height;
    for (const { node } of this.#members) {
      for (const { height, transactions } of start.chain.blocks) node.confirm(height, transactions);
      node.confirm(this.height, []);
      node.synced();
    }
  }

  static async begin(start: StartName, name: SideName): Promise<Meeting> {
    const meeting = new Meeting(await startOf(start, 'fake'), name);
    await meeting.flow();
    return meeting;
  }

  get node(): SimulatedNode {
    return this.#node.node;
  }

  get peer(): SimulatedNode {
    return this.#peer.node;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** The node's channels. */
  get channels(): readonly ChannelEntry[] {
    return this.node.manager.channels();
  }

  async connect(): Promise<void> {
    this.#connectionId++;
    this.#isConnected = true;
    this.node.connect(this.peer, this.#connectionId);
    this.peer.connect(this.node, this.#connectionId);
    await this.flow();
  }

  /** What is under way is lost. */
  async disconnect(): Promise<void> {
    this.#cut();
    await this.flow();
  }

  /** The node hears messages of the peer's, all in one chunk. */
  async hear(...messages: readonly Message[]): Promise<void> {
    for (const message of messages)
      this.node.turn(() => this.node.manager.receive(this.peer.nodeId, this.#connectionId, message));
    await this.flow();
  }

  /** An `error` or a `warning` of the peer's, and then perhaps the end of the connection. */
  async hearSaid(kind: 'error' | 'warning', text: string, channelId: Uint8Array): Promise<void> {
    await this.hear({ kind, channelId, data: fromUtf8(text), tlvs: {} });
  }

  /** Lets time pass, a second at a time. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.now += 1_000;
      for (const { node } of this.#members) node.turn(() => node.manager.timerTick());
      await this.flow();
    }
  }

  /** A clock that jumps, as after a sleep, with one tick behind it. */
  async sleep(seconds: number): Promise<void> {
    this.now += (seconds - 1) * 1_000;
    await this.pass(1);
  }

  async mine(): Promise<void> {
    this.height++;
    for (const { node } of this.#members) node.confirm(this.height, []);
    await this.flow();
  }

  /** Commits complete and messages arrive until both are silent. */
  async flow(): Promise<void> {
    for (let round = 0; round < 100; round++) if (!(await this.step())) return;
    throw new Error('they never stop talking');
  }

  /** As `flow`, one step of it; whether anything happened. */
  async step(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.#members.map((member) => this.#move(member)).some(Boolean);
  }

  /** Takes out everything of one kind that the node said. */
  heard<K extends MessageKind>(kind: K): MessageOf<K>[] {
    return taken(this.#said, kind);
  }

  heardFromPeer<K extends MessageKind>(kind: K): MessageOf<K>[] {
    return taken(this.#saidByPeer, kind);
  }

  get #members(): readonly [Member, Member] {
    return [this.#node, this.#peer];
  }

  #move({ node, store }: Member): boolean {
    const moved = store.inFlight > 0;
    store.completeAll();
    const isPeer = node === this.peer;
    const outgoing = node.outbox.splice(0).filter(({ connectionId }) => connectionId === this.#connectionId);
    for (const { bytes } of outgoing) this.#pass(decodeMessage(bytes) as Message, bytes, isPeer);
    const reasons = node.disconnects.splice(0).map(({ reason }) => reason);
    if (!isPeer) this.ended.push(...reasons);
    if (reasons.length > 0) this.#cut();
    return moved || outgoing.length > 0 || reasons.length > 0;
  }

  #pass(message: Message, bytes: Uint8Array, isOfPeer: boolean): void {
    (isOfPeer ? this.#saidByPeer : this.#said).push(message);
    if (!this.#isConnected || (isOfPeer ? this.withheld(message) : this.isPeerDeaf)) return;
    const [from, to] = isOfPeer ? [this.peer, this.node] : [this.node, this.peer];
    to.receive(from, this.#connectionId, bytes);
  }

  #cut(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    const [{ node }, { node: peer }] = this.#members;
    node.turn(() => node.manager.peerDisconnected(peer.nodeId, this.#connectionId));
    peer.turn(() => peer.manager.peerDisconnected(node.nodeId, this.#connectionId));
  }

  #begin(start: WorldStart, name: SideName): Member {
    const disk = new MemoryDisk();
    disk.apply(new Map(start.records[name]));
    const store = disk.open();
    const { secp, config, features } = start;
    const { keys, descriptors } = start.identities[name];
    const common = { name, store, secp, config, features, keys, descriptors };
    return { store, node: new SimulatedNode({ ...common, now: () => this.now }) };
  }
}

function taken<K extends MessageKind>(from: Message[], kind: K): MessageOf<K>[] {
  const found = from.filter((message): message is MessageOf<K> & Message => message.kind === kind);
  from.splice(0, from.length, ...from.filter((message) => message.kind !== kind));
  return found;
}
