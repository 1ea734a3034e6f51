import { isDeepStrictEqual } from 'node:util';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import { equalBytes, toHex } from '../../worker/engine/primitives/bytes.ts';
import { decodeInvoice } from '../../worker/engine/payments/bolt11.ts';
import type { HintHop } from '../../worker/engine/routing/route.ts';
import { decodeTransaction, transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { decodeMessage, encodeMessage, type Message } from '../../worker/engine/wire/message.ts';
import { ANTI_REORG_DELAY } from '../../worker/engine/monitor/claims/claim-package.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { hear, type TellingStyle } from './chain-source.ts';
import { Cheat, type SecondStage } from './cheat.ts';
import type { Fault } from './faults.ts';
import { pushName } from './funding.ts';
import { checkBroadcast } from './invariants/broadcasts.ts';
import { checkCapacities } from './invariants/capacities.ts';
import { checkChannelTable } from './invariants/channel-table.ts';
import { checkClaimFeerate, type ClaimFeerates } from './invariants/claim-feerates.ts';
import { checkDeadlines } from './invariants/deadlines.ts';
import { checkDustOfClaims, checkDustOfOffers } from './invariants/dust-exposure.ts';
import { checkLeaving } from './invariants/leaving.ts';
import { checkQuiescence } from './invariants/quiescence.ts';
import { Link } from './link.ts';
import { FORWARDING } from './node.ts';
import { Side } from './side.ts';
import { SimulatedChain } from './simulated-chain.ts';
import type { SideName, WorldStart } from './world-start.ts';

/** A payment that somebody tried; what became of it is in the stores. */
interface TriedPayment {
  readonly paymentHash: string;
  readonly amountMsat: bigint;
  readonly from: SideName;
  readonly to: SideName;
}

/** Refusals that a person gets; the engine did nothing. */
const REFUSALS: readonly string[] = [
  'NoRoute',
  'PeerOffline',
  'InsufficientBalance',
  'InsufficientChannelBalance',
  'AmountTooSmall',
  'TooManyHtlcs',
  'InFlightLimit',
  'FeeUnaffordable',
  'DustExposure',
  'ExpiryTooSoon',
  'FeeTooHigh',
  'ChannelNotOpen',
  'ChannelUnknown',
  'PeerNotConnected',
  'InsufficientFunds',
  'ChannelTooSmall',
];

/** Where the clock of every simulation begins, in milliseconds since 1970. */
const EPOCH = 1_700_000_000_000;

/** Of a node that was not told another one, in satoshi per 1000 weight. */
const STARTING_FEERATE = 1000;

/** Nodes with everything between and around them: connections, stores that complete when told, a chain, a clock. */
export class World {
  readonly sides: readonly Side[];
  readonly links: readonly Link[];
  readonly chain: SimulatedChain;
  readonly payments: TriedPayment[] = [];
  /** What no honest engine does. */
  readonly problems: string[] = [];
  /** What each side has in its channels in the beginning. */
  readonly beganWithMsat: ReadonlyMap<SideName, bigint>;
  /** Those that were open then, by channel id. */
  readonly startingChannels: ReadonlySet<string>;
  readonly fault: Fault | undefined;
  /** Who broadcast a transaction first, by its id. */
  readonly broadcastBy = new Map<string, SideName>();
  /** What openers gave away in the channels of this run, by their names and funding keys: anybody may repeat the key of another. */
  readonly pushedMsat = new Map<string, bigint>();
  /** Somebody closed alone: errors and what follows from them are in order. */
  forced = false;
  /** A channel was opened in this run: an attempt that one side forgot ends with an error. */
  opened = false;
  /** Who has said `stfu` of what channel on what connection. */
  readonly stfus = new Set<string>();
  /** How many connections ended because a channel was quiescent. */
  quiesced = 0;
  /** How many revoked commitments were punished. */
  punished = 0;
  /** How many outputs of them the cheater had taken first. */
  takenFirst = 0;
  readonly claimFeerates: ClaimFeerates = new Map();
  #wrongSide: SideName | undefined;
  #cheats: readonly Cheat[] = [];
  /** The height at which each side last could not do what it had to. */
  readonly #disturbedAt = new Map<SideName, number>();
  readonly #highestFeerates = new Map<SideName, number>();
  #lastConnectionId = 0;
  #now = EPOCH;

  constructor(start: WorldStart, fault?: Fault) {
    this.fault = fault;
    this.#wrongSide = fault?.wrongSide;
    this.chain = new SimulatedChain(start.chain, start.secp);
    const names = [...new Set(start.neighbours.flat())].sort();
    this.sides = names.map((name) => this.#makeSide(name, start));
    this.links = start.neighbours.map(([one, other]) => new Link([this.side(one), this.side(other)]));
    this.beganWithMsat = new Map(this.sides.map((side) => [side.name, side.inChannelsMsat]));
    this.startingChannels = new Set(this.sides.flatMap(({ view }) => [...view.monitors.keys()]));
    for (const each of this.sides) this.#sync(each);
  }

  get a(): Side {
    return this.side('a');
  }

  get b(): Side {
    return this.side('b');
  }

  /** The most that a side was told to pay for a close, in satoshi per 1000 weight. */
  highestFeerateOf({ name }: Side): number {
    return this.#highestFeerates.get(name) ?? STARTING_FEERATE;
  }

  side(name: SideName): Side {
    const found = this.sides.find((side) => side.name === name);
    if (found === undefined) throw new Error(`nobody is called ${name}`);
    return found;
  }

  sideOf(nodeId: string): Side | undefined {
    return this.sides.find(({ node }) => node.nodeId === nodeId);
  }

  /** Those of whom everything is expected. */
  get honest(): readonly Side[] {
    return this.sides.filter((side) => !this.isWrong(side));
  }

  isWrong({ name }: Side): boolean {
    return name === this.#wrongSide;
  }

  /** The height at which a side last did not hear of a block, could not write, or lost what it had broadcast. */
  disturbedAt({ name }: Side): number {
    return this.#disturbedAt.get(name) ?? 0;
  }

  /** A side broadcasts a commitment that it had: nothing is expected of it any more, everything of the others. */
  cheat(side: Side, channelKey: string, state: number, secondStage: SecondStage): void {
    const history = side.view.history.get(channelKey) ?? [];
    const monitor = history[Math.min(Math.floor(state * history.length), history.length - 1)];
    if (monitor === undefined) return;
    this.#wrongSide = side.name;
    this.#cheats = [...this.#cheats, new Cheat(side, monitor, secondStage)];
    this.#goOnCheating(side);
  }

  /** The first with whom a side connects: the only one in a world of two. */
  neighbour(side: Side): Side {
    const link = this.links.find((each) => each.has(side));
    if (link === undefined) throw new Error(`${side.name} is alone`);
    return link.other(side);
  }

  complain(name: SideName | 'both', problem: string): void {
    if (name !== this.#wrongSide) this.problems.push(`${name}: ${problem}`);
  }

  /** Lets promises run, and what leaves the nodes go where it goes. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    for (const side of this.sides) this.#collect(side);
  }

  connect(): void {
    for (const link of this.links) {
      if (link.connectionId !== undefined) continue;
      const connectionId = ++this.#lastConnectionId;
      link.connectionId = connectionId;
      for (const side of link.ends) this.attempt(side, () => side.node.connect(link.other(side).node, connectionId));
    }
  }

  disconnect(): void {
    for (const link of this.links) this.#disconnect(link);
  }

  /** A new connection that one side has before it learns that the old one is gone. */
  replaceConnection(late: Side): void {
    for (const link of this.links) if (link.has(late)) this.#replace(link, late);
  }

  /** Delivers the oldest message to a side; whether there was one. */
  deliver(to: Side): boolean {
    const [message, ...later] = to.inbox;
    if (message === undefined) return false;
    to.inbox = later;
    const { connectionId, bytes } = message;
    const from = this.#linkOf(connectionId)?.other(to);
    if (from === undefined) return true;
    const receive = (): void => this.attempt(to, () => to.node.receive(from.node, connectionId, bytes));
    checkChannelTable(this, to, () => checkDustOfClaims(this, to, receive));
    return true;
  }

  /** What a side has sent that has not arrived, oldest first. */
  underWay(from: Side): readonly Uint8Array[] {
    return this.sides.flatMap((to) => to.inbox.filter((message) => this.#isFrom(from, to, message))).map(bytesOf);
  }

  /** As `underWay`, and it never arrives. */
  intercept(from: Side): readonly Uint8Array[] {
    const taken = this.underWay(from);
    for (const to of this.sides) to.inbox = to.inbox.filter((message) => !this.#isFrom(from, to, message));
    return taken;
  }

  /** Puts a message of a side's own making on its way; nothing happens without a connection. */
  inject(from: Side, to: Side, message: Message): void {
    const connectionId = this.links.find((link) => link.has(from) && link.has(to))?.connectionId;
    if (connectionId !== undefined) to.inbox = [...to.inbox, { connectionId, bytes: encodeMessage(message) }];
  }

  /** Completes the oldest commit of a side; whether there was one. */
  complete(side: Side): boolean {
    if (side.store.inFlight === 0) return false;
    try {
      side.store.complete();
    } catch (error) {
      this.complain(side.name, `what was written cannot be read: ${String(error)}`);
    }
    return true;
  }

  /** The process of a side dies, before or after its oldest commit got durable, and starts again from its disk. */
  crash(side: Side, written: boolean): void {
    for (const link of this.links) if (link.has(side)) this.#disconnect(link);
    try {
      side.crash(written);
    } catch (error) {
      return this.complain(side.name, `the restart failed: ${String(error)}`);
    }
    for (const [key, monitor] of side.node.manager.chainMonitor.monitors()) {
      const written = side.view.monitors.get(key);
      // What the start itself has changed is not written yet.
      const isChanged = written !== undefined && monitor.updateId > written.updateId;
      if (!isChanged && !isDeepStrictEqual(monitor, written))
        this.complain(side.name, 'a monitor is not read back as it was written');
    }
    this.#sync(side);
  }

  pay(from: Side, amountMsat: bigint, to: Side = this.neighbour(from)): void {
    this.attempt(to, () => {
      const text = to.node.invoice(amountMsat);
      const paymentHash = toHex(decodeInvoice(from.secp, text).paymentHash);
      this.payments.push({ paymentHash, amountMsat, from: from.name, to: to.name });
      checkDustOfOffers(this, from, () => this.attempt(from, () => void from.node.pay(text)));
    });
  }

  /** Pays somebody behind a neighbour, who is to pass it on. */
  payThrough(from: Side, via: Side, to: Side, amountMsat: bigint): void {
    this.attempt(to, () => {
      const text = to.node.invoice(amountMsat, hintsThrough(via, to));
      const paymentHash = toHex(decodeInvoice(from.secp, text).paymentHash);
      this.payments.push({ paymentHash, amountMsat, from: from.name, to: to.name });
      this.attempt(from, () => void from.node.pay(text));
    });
  }

  /** Blocks come, the first with all that may be in it. */
  mine(blocks = 1): void {
    for (let block = 0; block < blocks; block++) {
      for (const side of this.sides) if (side.source.isLate || side.store.inFlight > 0) this.#disturb(side);
      for (const side of this.honest) checkDeadlines(this, side, this.chain.height + 1);
      this.chain.mine();
      for (const side of this.sides) this.#tellNewest(side);
    }
  }

  /** So many blocks pass with nothing in them, as for somebody who sleeps. */
  skip(blocks: number): void {
    this.chain.skip(blocks);
    for (const side of this.sides) {
      this.#disturb(side);
      this.tell(side, side.source.behind, 'together');
    }
  }

  /** The last blocks leave the chain; what is lost of them is in no mempool. Nobody has heard of it yet. */
  disconnectBlocks(depth: number, isLost: () => boolean): void {
    const most = Math.min(depth, this.chain.height - FIRST_HEIGHT);
    // What was taken so deep is remembered no more, and is taken anew.
    if (most >= ANTI_REORG_DELAY) this.claimFeerates.clear();
    this.#lost(this.chain.disconnect(most, (each) => isLost() && !this.#isFundingOfClosed(each)));
  }

  dropFromMempool(isLost: () => boolean): void {
    this.#lost(this.chain.drop((each) => isLost() && !this.#isFundingOfClosed(each)));
  }

  /** A side hears of so many blocks more. */
  tell(side: Side, blocks: number, style: TellingStyle): void {
    for (const news of side.source.tell(blocks, style)) this.attempt(side, () => hear(side.node, news));
  }

  setFeerate(side: Side, commitment: number, closing: number): void {
    const feerates = feeratesOf(commitment, closing);
    this.#highestFeerates.set(side.name, Math.max(this.highestFeerateOf(side), closing));
    this.attempt(side, () => side.node.turn(() => side.node.manager.updateFeerates(feerates)));
  }

  tick(milliseconds: number): void {
    this.#now += milliseconds;
    for (const side of this.sides) this.attempt(side, () => side.node.turn(() => side.node.manager.timerTick()));
  }

  /** Delivers and completes everything; complains when that does not end. */
  async pump(): Promise<void> {
    for (let round = 0; round < 3000; round++) {
      await this.settle();
      let moved = false;
      for (const side of this.sides) {
        moved = this.complete(side) || moved;
        moved = this.deliver(side) || moved;
      }
      if (!moved || this.problems.length > 0) return;
    }
    this.complain('both', 'they never stop talking');
  }

  /** Completes every commit, and those that follow from it. */
  async write(): Promise<void> {
    for (let round = 0; round < 3000; round++) {
      await this.settle();
      if (!this.sides.map((side) => this.complete(side)).includes(true)) return;
    }
    this.complain('both', 'they never stop writing');
  }

  check(): void {
    for (const side of this.honest) checkCapacities(side, (problem) => this.complain(side.name, problem));
  }

  /** Runs an input; an exception is a problem unless it is a refusal that a person would get. */
  attempt(side: Side, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof GlowwormError && REFUSALS.includes(error.code)) return;
      const where = error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 4).join(' ') : '';
      this.complain(side.name, `an input threw: ${String(error)} ${where}`);
    }
  }

  #makeSide(name: SideName, start: WorldStart): Side {
    return new Side({
      name,
      start,
      now: () => this.#now++,
      complain: (problem) => this.complain(name, problem),
      chain: this.chain,
      ...(this.fault === undefined ? {} : { fault: this.fault }),
    });
  }

  #isFrom(from: Side, to: Side, { connectionId }: Side['inbox'][number]): boolean {
    return to !== from && this.#linkOf(connectionId)?.has(from) === true;
  }

  #linkOf(id: number): Link | undefined {
    return this.links.find(({ connectionId }) => connectionId === id);
  }

  #disconnect(link: Link): void {
    const { connectionId } = link;
    if (connectionId === undefined) return;
    link.loseMessages();
    link.connectionId = undefined;
    for (const side of link.ends) this.#disconnected(side, link.other(side), connectionId);
  }

  #replace(link: Link, late: Side): void {
    const old = link.connectionId;
    if (old === undefined) return this.connect();
    link.loseMessages();
    const connectionId = ++this.#lastConnectionId;
    link.connectionId = connectionId;
    const early = link.other(late);
    this.#disconnected(early, late, old);
    this.attempt(early, () => early.node.connect(late.node, connectionId));
    this.attempt(late, () => late.node.connect(early.node, connectionId));
    this.#disconnected(late, early, old);
  }

  #disconnected(side: Side, peer: Side, connectionId: number): void {
    this.attempt(side, () => side.node.turn(() => side.node.manager.peerDisconnected(peer.node.nodeId, connectionId)));
  }

  #collect(side: Side): void {
    const { node } = side;
    for (const { connectionId, bytes } of node.outbox.splice(0)) {
      const link = this.#linkOf(connectionId);
      if (link !== undefined) this.#send(side, link.other(side), { connectionId, bytes });
    }
    for (const raw of node.broadcasts.splice(0)) this.#broadcast(side, raw);
    for (const { connectionId, reason } of node.disconnects.splice(0)) this.#dropped(side, connectionId, reason);
    const strange = this.#wrongSide === undefined ? /is frozen|warn:|fail:|stale:|warning from/ : /is frozen/;
    for (const line of node.log.splice(0)) if (strange.test(line)) this.complain(side.name, line);
    if (node.problem !== undefined) this.complain(side.name, `a commit failed: ${node.problem.message}`);
  }

  #send(from: Side, to: Side, { connectionId, bytes }: Side['inbox'][number]): void {
    const message = decodeMessage(bytes) as Message;
    for (const leaving of this.fault?.leaving?.(message, from, to) ?? [message]) {
      if (!this.isWrong(from)) {
        checkLeaving(this, from, to, leaving);
        checkQuiescence(this, from, connectionId, leaving);
      }
      if (leaving.kind === 'open_channel')
        this.pushedMsat.set(pushName(from.node.nodeId, leaving.fundingPubkey), leaving.pushMsat);
      const sent = leaving === message ? bytes : encodeMessage(leaving);
      to.inbox = [...to.inbox, { connectionId, bytes: sent }];
    }
  }

  #broadcast(side: Side, raw: Uint8Array): void {
    const transaction = decodeTransaction(raw);
    if (this.fault?.broadcasting?.(transaction) === false) return;
    checkBroadcast(this, side, transaction);
    checkClaimFeerate(this, side, transaction);
    const txid = toHex(transactionId(transaction));
    if (!this.broadcastBy.has(txid)) this.broadcastBy.set(txid, side.name);
    this.#offer(raw);
    if (this.chain.invalid.has(txid)) this.complain(side.name, `broadcast ${txid}, whose scripts fail`);
  }

  /** A side ends a connection: with an honest peer it has no reason to, but for a channel that was quiescent. */
  #dropped(side: Side, connectionId: number, reason: string): void {
    const link = this.#linkOf(connectionId);
    if (reason === 'the channel was quiescent') {
      // With its connection what was said on it is lost.
      if (link === undefined) return;
      if (!this.#wasQuiescent(connectionId)) this.complain(side.name, 'says that a channel was quiescent');
      this.quiesced++;
      return this.#disconnect(link);
    }
    const isHonest =
      link === undefined ? this.honest.length === this.sides.length : !link.ends.some((end) => this.isWrong(end));
    if (isHonest) this.complain(side.name, `disconnected: ${reason}`);
    else if (link !== undefined) this.#disconnect(link);
  }

  /** Both sides have said `stfu` of one channel. */
  #wasQuiescent(connectionId: number): boolean {
    const said = [...this.stfus].filter((each) => each.endsWith(` ${connectionId}`));
    return new Set(said.map((each) => each.split(' ')[1])).size < said.length;
  }

  /** A start reports again what is confirmed. */
  #sync(side: Side): void {
    this.#disturb(side);
    for (const news of side.source.begin()) this.attempt(side, () => hear(side.node, news));
    this.attempt(side, () => side.node.synced());
  }

  #tellNewest(side: Side): void {
    const { source } = side;
    if (!source.isLate) this.tell(side, source.behind, 'apart');
    else if (source.behind > MOST_BEHIND) this.tell(side, source.behind - MOST_BEHIND, 'together');
    if (this.isWrong(side)) this.#goOnCheating(side);
  }

  #goOnCheating(side: Side): void {
    for (const raw of this.#cheats.flatMap((each) => each.transactions(this.chain))) {
      const txid = toHex(transactionId(decodeTransaction(raw)));
      if (!this.broadcastBy.has(txid)) this.broadcastBy.set(txid, side.name);
      this.#offer(raw);
      if (this.chain.invalid.has(txid)) this.problems.push(`${side.name}: what it cheats with is invalid`);
    }
  }

  /** What is replaced everybody hears of with the next block. */
  #offer(raw: Uint8Array): void {
    this.chain.broadcast(raw);
    const replaced = this.chain.takeReplaced();
    for (const { source } of this.sides) source.noteDropped(replaced);
  }

  #lost(transactions: ReturnType<SimulatedChain['drop']>): void {
    for (const side of this.sides) {
      this.#disturb(side);
      side.source.noteDropped(transactions);
    }
  }

  /** Nobody sends it again: its opener has its coins back, and whom it was pushed to has nothing. */
  #isFundingOfClosed(transaction: Transaction): boolean {
    const txid = transactionId(transaction);
    return this.sides.some(({ node }) =>
      node.manager
        .channels()
        .some(({ state }) => state.kind === 'closed' && equalBytes(state.params.fundingTxid, txid)),
    );
  }

  #disturb({ name }: Side): void {
    this.#disturbedAt.set(name, this.chain.height);
  }
}

/** The block with everybody's coins stays in the chain. */
const FIRST_HEIGHT = 100;

/** A third of the blocks that an HTLC whose preimage is known is given until its expiry: a side that sleeps longer may lose. */
const MOST_BEHIND = 12;

const bytesOf = ({ bytes }: Side['inbox'][number]): Uint8Array => bytes;

/** The channels of a forwarding node with a payee, as an invoice tells of them. */
export const hintsThrough = (via: Side, to: Side): readonly (readonly HintHop[])[] =>
  via.node.manager.channels().flatMap(({ nodeId, state }) => {
    if (nodeId !== to.node.nodeId || state.kind !== 'open') return [];
    return [[{ nodeId: via.node.keys.nodeId, shortChannelId: state.holderAlias, ...FORWARDING }]];
  });
