import { toHex } from '../../worker/engine/primitives/bytes.ts';
import type { ChannelEntry } from '../../worker/engine/manager/channel-entry.ts';
import { transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { decodeMessage, encodeMessage, type Message, type MessageKind } from '../../worker/engine/wire/message.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { SimulatedChain } from '../simulation/simulated-chain.ts';
import type { ArenaStart } from './arena-start.ts';
import { Camp, type CampName } from './camp.ts';

/** A connection between the victim and one of its peers, with what is under way on it. */
interface Link {
  connectionId: number | undefined;
  readonly peer: Camp;
  toVictim: Message[];
  toPeer: Message[];
}

const EPOCH = 1_700_000_000_000;

/**
 * A victim, which is the engine under test, between two peers: an attacker, whose messages a test drops, changes and
 * makes up, and an honest one, with whom the victim has a channel that must not suffer from any of it.
 */
export class Arena {
  readonly victim: Camp;
  readonly attacker: Camp;
  readonly honest: Camp;
  readonly chain: SimulatedChain;
  /** What the victim has said to the attacker, oldest first. */
  readonly heard: Message[] = [];
  /** Why the victim ended a connection, oldest first. */
  readonly hungUp: string[] = [];
  /** What leaves the attacker instead of what its engine says. */
  tamper: (message: Message) => readonly Message[] = (message) => [message];
  /** The connection is cut when the victim says this, and nobody hears it. */
  cutOn: MessageKind | undefined;
  /** The attacker's engine neither hears nor speaks: only the test does. */
  silenced = false;
  /** The key of the channel that the test speaks about, where it is not the newest. */
  focus: string | undefined;
  readonly #links: readonly [Link, Link];
  #lastConnectionId = 0;
  #now = EPOCH;

  constructor({ records, chain, features }: ArenaStart) {
    this.chain = new SimulatedChain(chain);
    const camp = (name: CampName): Camp =>
      new Camp({ name, records: records[name], features: features?.[name], now: () => this.#now++ });
    this.victim = camp('victim');
    this.attacker = camp('attacker');
    this.honest = camp('honest');
    this.#links = [this.#link(this.attacker), this.#link(this.honest)];
    for (const each of this.camps) this.tellChain(each);
  }

  get camps(): readonly Camp[] {
    return [this.victim, this.attacker, this.honest];
  }

  /** The victim's newest channel with the attacker, or the one that `focus` names. */
  get channel(): ChannelEntry {
    const channels = this.victim.channelsWith(this.attacker);
    const entry = channels.find(({ key }) => key === this.focus) ?? channels.at(-1);
    if (entry === undefined) throw new Error('the victim has no channel with the attacker');
    return entry;
  }

  get channelId(): Uint8Array {
    const { state } = this.channel;
    if (!('params' in state)) throw new Error('the channel has no id yet');
    return state.params.channelId;
  }

  /** The kinds of what the victim has said to the attacker. */
  get said(): readonly MessageKind[] {
    return this.heard.map(({ kind }) => kind);
  }

  /** What was heard until now does not count. */
  forget(): void {
    this.heard.length = 0;
    this.hungUp.length = 0;
  }

  get isConnected(): boolean {
    return this.#links[0].connectionId !== undefined;
  }

  connect(peer: Camp = this.attacker): void {
    const link = this.#linkWith(peer);
    if (link.connectionId !== undefined) return;
    const connectionId = ++this.#lastConnectionId;
    link.connectionId = connectionId;
    this.victim.attempt((node) => node.connect(peer.node, connectionId));
    peer.attempt((node) => node.connect(this.victim.node, connectionId));
  }

  disconnect(peer: Camp = this.attacker): void {
    const link = this.#linkWith(peer);
    const { connectionId } = link;
    if (connectionId === undefined) return;
    link.connectionId = undefined;
    link.toVictim = [];
    link.toPeer = [];
    this.victim.attempt((node) => node.turn(() => node.manager.peerDisconnected(peer.node.nodeId, connectionId)));
    peer.attempt((node) => node.turn(() => node.manager.peerDisconnected(this.victim.node.nodeId, connectionId)));
  }

  async reconnect(): Promise<void> {
    this.disconnect();
    this.connect();
    await this.pump();
  }

  /** The attacker says something of its own; the victim handles all of it as one chunk. */
  async say(...messages: readonly Message[]): Promise<void> {
    this.connect();
    this.sayAs(this.attacker, ...messages);
    await this.pump();
  }

  /** A peer, the attacker or another, has said something; nothing follows from it yet. */
  sayAs(peer: Camp, ...messages: readonly Message[]): void {
    for (const message of messages) this.#hear(this.#linkWith(peer), message);
  }

  restartVictim(): void {
    for (const { peer } of this.#links) this.disconnect(peer);
    this.victim.restart();
    this.tellChain(this.victim);
  }

  /** The victim starts again from an older copy of its disk. */
  restartVictimFrom(copy: ReadonlyMap<string, Uint8Array>): void {
    for (const { peer } of this.#links) this.disconnect(peer);
    this.victim.restartFrom(copy);
    this.tellChain(this.victim);
  }

  mine(blocks = 1): void {
    for (let block = 0; block < blocks; block++) {
      const { height, transactions } = this.chain.mine();
      for (const each of this.camps) each.attempt((node) => node.confirm(height, transactions));
    }
  }

  /** As `mine`, for so many blocks that the nodes should not look at each. */
  skip(blocks: number): void {
    for (let block = 0; block < blocks; block++) this.chain.mine();
    for (const each of this.camps) this.tellChain(each);
  }

  /** The victim's chain, and nobody else's, has transactions at a height. */
  confirmForVictim(height: number, ...transactions: readonly Transaction[]): void {
    this.victim.attempt((node) =>
      node.turn(() => {
        node.manager.transactionsConfirmed(
          height,
          transactions.map((transaction, at) => ({ index: isCoinbase(transaction) ? 0 : at + 1, transaction })),
        );
        node.manager.bestBlockUpdated(Math.max(height, this.chain.height));
      }),
    );
  }

  /** A reorganisation takes a transaction out of the victim's chain. */
  unconfirmForVictim(transaction: Transaction): void {
    const txid = transactionId(transaction);
    this.victim.attempt((node) => node.turn(() => node.manager.transactionUnconfirmed(txid)));
  }

  setFeerate(commitment: number, closing: number = commitment, who: Camp = this.victim): void {
    who.attempt((node) => node.turn(() => node.manager.updateFeerates(feeratesOf(commitment, closing))));
  }

  tick(milliseconds: number): void {
    this.#now += milliseconds;
    for (const each of this.camps) each.attempt((node) => node.turn(() => node.manager.timerTick()));
  }

  /** Delivers and completes everything. */
  async pump(): Promise<void> {
    for (let round = 0; round < 1000; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#collect();
      if (!this.#move()) return;
    }
    this.victim.faults.push('they never stop talking');
  }

  /** Payment hashes of what was tried, by who pays. */
  async pay(from: Camp, to: Camp, amountMsat: bigint): Promise<string> {
    const hash = from.node.pay(to.node.invoice(amountMsat));
    await this.pump();
    return hash;
  }

  /** Tells a camp what is in the chain, as a start does. */
  tellChain(camp: Camp): void {
    for (const { height, transactions } of this.chain.blocks)
      camp.attempt((node) => node.confirm(height, transactions));
    camp.attempt((node) => node.confirm(this.chain.height, []));
  }

  #link(peer: Camp): Link {
    return { connectionId: undefined, peer, toVictim: [], toPeer: [] };
  }

  #linkWith(peer: Camp): Link {
    return this.#links[peer === this.attacker ? 0 : 1];
  }

  #move(): boolean {
    let moved = false;
    for (const link of this.#links) {
      const { peer, connectionId } = link;
      for (const message of link.toVictim.splice(0)) {
        this.#hear(link, message);
        moved = true;
      }
      for (const message of link.toPeer.splice(0)) {
        moved = true;
        if (connectionId === undefined || (peer === this.attacker && this.silenced)) continue;
        peer.attempt((node) => node.receive(this.victim.node, connectionId, encodeMessage(message)));
      }
    }
    for (const { store } of this.camps)
      while (store.inFlight > 0) {
        store.complete();
        moved = true;
      }
    return moved;
  }

  #hear({ connectionId, peer }: Link, message: Message): void {
    if (connectionId === undefined) return;
    this.victim.attempt((node) => node.receive(peer.node, connectionId, encodeMessage(message)));
  }

  #collect(): void {
    for (const { node } of [this.attacker, this.honest])
      for (const { connectionId, bytes } of node.outbox.splice(0)) this.#fromPeer(connectionId, bytes);
    for (const { connectionId, bytes } of this.victim.node.outbox.splice(0)) this.#fromVictim(connectionId, bytes);
    for (const camp of this.camps) for (const raw of camp.collectBroadcasts()) this.chain.broadcast(raw);
    for (const line of this.victim.node.log.splice(0))
      if (/is frozen|^signing/.test(line)) this.victim.faults.push(line);
    for (const { reason } of this.victim.node.disconnects.splice(0)) {
      this.hungUp.push(reason);
      this.disconnect();
    }
    for (const peer of [this.attacker, this.honest])
      if (peer.node.disconnects.splice(0).length > 0) this.disconnect(peer);
  }

  #fromPeer(connectionId: number, bytes: Uint8Array): void {
    const link = this.#links.find((each) => each.connectionId === connectionId);
    if (link === undefined) return;
    const message = decodeMessage(bytes) as Message;
    if (link.peer !== this.attacker) link.toVictim.push(message);
    else if (!this.silenced) link.toVictim.push(...this.tamper(message));
  }

  #fromVictim(connectionId: number, bytes: Uint8Array): void {
    const link = this.#links.find((each) => each.connectionId === connectionId);
    if (link === undefined) return;
    const message = decodeMessage(bytes) as Message;
    if (link.peer === this.attacker && message.kind === this.cutOn) {
      this.cutOn = undefined;
      return this.disconnect();
    }
    if (link.peer === this.attacker) this.heard.push(message);
    link.toPeer.push(message);
  }
}

const isCoinbase = ({ inputs }: Transaction): boolean => inputs[0]?.vout === 0xffff_ffff;

/** What became of a payment at whoever pays. */
export const outcomeOf = (camp: Camp, paymentHash: string): string =>
  camp.node.manager.outboundPayments.all().find((each) => toHex(each.paymentHash) === paymentHash)?.state.kind ??
  'none';

/** What an invoice of a camp has received, in msat. */
export const receivedBy = (camp: Camp, paymentHash: string): bigint =>
  camp.node.manager.inboundPayments.all().find((each) => toHex(each.paymentHash) === paymentHash)?.received
    ?.amountMsat ?? 0n;
