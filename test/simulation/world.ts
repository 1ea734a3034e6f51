import { isDeepStrictEqual } from 'node:util';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { decodeInvoice } from '../../worker/engine/payments/bolt11.ts';
import { decodeMessage, encodeMessage, type Message } from '../../worker/engine/wire/message.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import type { Fault } from './faults.ts';
import { checkBalances, checkBroadcast, checkLeaving } from './invariants.ts';
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

/** Two nodes with everything between and around them: connections, stores that complete when told, a chain, a clock. */
export class World {
  readonly a: Side;
  readonly b: Side;
  readonly chain: SimulatedChain;
  readonly payments: TriedPayment[] = [];
  /** What no honest engine does. */
  readonly problems: string[] = [];
  /** What each side has in its channels in the beginning. */
  readonly beganWithMsat: Readonly<Record<SideName, bigint>>;
  readonly fault: Fault | undefined;
  /** Somebody closed alone: errors and what follows from them are in order. */
  forced = false;
  /** A channel was opened in this run: an attempt that one side forgot ends with an error. */
  opened = false;
  #connectionId: number | undefined;
  #lastConnectionId = 0;
  #now = EPOCH;

  constructor(start: WorldStart, fault?: Fault) {
    this.fault = fault;
    this.chain = new SimulatedChain(start.chain);
    const side = (name: SideName): Side =>
      new Side({
        name,
        start,
        now: () => this.#now++,
        complain: (problem) => this.complain(name, problem),
        ...(fault === undefined ? {} : { fault }),
      });
    this.a = side('a');
    this.b = side('b');
    this.beganWithMsat = { a: this.a.inChannelsMsat, b: this.b.inChannelsMsat };
    for (const each of this.sides) this.#sync(each);
  }

  get sides(): readonly [Side, Side] {
    return [this.a, this.b];
  }

  get isConnected(): boolean {
    return this.#connectionId !== undefined;
  }

  other(side: Side): Side {
    return side === this.a ? this.b : this.a;
  }

  complain(name: string, problem: string): void {
    this.problems.push(`${name}: ${problem}`);
  }

  /** Lets promises run, and what leaves the nodes go where it goes. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    for (const side of this.sides) this.#collect(side);
  }

  connect(): void {
    if (this.isConnected) return;
    const connectionId = ++this.#lastConnectionId;
    this.#connectionId = connectionId;
    for (const side of this.sides) this.attempt(side, () => side.node.connect(this.other(side).node, connectionId));
  }

  /** What is under way in either direction is lost. */
  disconnect(): void {
    const connectionId = this.#connectionId;
    if (connectionId === undefined) return;
    this.#connectionId = undefined;
    for (const side of this.sides) {
      side.queue = [];
      this.attempt(side, () =>
        side.node.turn(() => side.node.manager.peerDisconnected(this.other(side).node.nodeId, connectionId)),
      );
    }
  }

  /** A new connection that one side has before it learns that the old one is gone. */
  replaceConnection(late: Side): void {
    const old = this.#connectionId;
    if (old === undefined) return this.connect();
    const connectionId = ++this.#lastConnectionId;
    this.#connectionId = connectionId;
    for (const side of this.sides) side.queue = [];
    const early = this.other(late);
    this.attempt(early, () => early.node.turn(() => early.node.manager.peerDisconnected(late.node.nodeId, old)));
    this.attempt(early, () => early.node.connect(late.node, connectionId));
    this.attempt(late, () => late.node.connect(early.node, connectionId));
    this.attempt(late, () => late.node.turn(() => late.node.manager.peerDisconnected(early.node.nodeId, old)));
  }

  /** Delivers the oldest message to a side; whether there was one. */
  deliver(to: Side): boolean {
    const bytes = this.other(to).queue.shift();
    const connectionId = this.#connectionId;
    if (bytes === undefined || connectionId === undefined) return false;
    this.attempt(to, () => to.node.receive(this.other(to).node, connectionId, bytes));
    return true;
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
    this.disconnect();
    try {
      side.crash(written);
    } catch (error) {
      return this.complain(side.name, `the restart failed: ${String(error)}`);
    }
    for (const [key, monitor] of side.node.manager.chainMonitor.monitors())
      if (!isDeepStrictEqual(monitor, side.view.monitors.get(key)))
        this.complain(side.name, 'a monitor is not read back as it was written');
    this.#sync(side);
  }

  pay(from: Side, amountMsat: bigint): void {
    const to = this.other(from);
    this.attempt(to, () => {
      const text = to.node.invoice(amountMsat);
      this.attempt(from, () => {
        const paymentHash = toHex(decodeInvoice(from.secp, text).paymentHash);
        this.payments.push({ paymentHash, amountMsat, from: from.name, to: to.name });
        from.node.pay(text);
      });
    });
  }

  mine(): void {
    const { height, transactions } = this.chain.mine();
    for (const side of this.sides) this.attempt(side, () => side.node.confirm(height, transactions));
  }

  setFeerate(side: Side, commitment: number, closing: number): void {
    const feerates = feeratesOf(commitment, closing);
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

  check(): void {
    for (const side of this.sides) checkBalances(side, (problem) => this.complain(side.name, problem));
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

  #collect(side: Side): void {
    const { node } = side;
    for (const { connectionId, bytes } of node.outbox.splice(0)) {
      if (connectionId !== this.#connectionId) continue;
      const message = decodeMessage(bytes) as Message;
      for (const leaving of this.fault?.leaving?.(message, side) ?? [message]) {
        checkLeaving(this, side, leaving);
        side.queue.push(encodeMessage(leaving));
      }
    }
    for (const transaction of node.broadcasts.splice(0)) {
      checkBroadcast(this, side, transaction);
      this.chain.broadcast(transaction);
    }
    for (const reason of node.disconnects.splice(0)) this.complain(side.name, `disconnected: ${reason}`);
    for (const line of node.log.splice(0))
      if (/is frozen|warn:|fail:|stale:|warning from/.test(line)) this.complain(side.name, line);
    if (node.problem !== undefined) this.complain(side.name, `a commit failed: ${node.problem.message}`);
  }

  /** A start reports again what is confirmed. */
  #sync(side: Side): void {
    for (const { height, transactions } of this.chain.blocks)
      this.attempt(side, () => side.node.confirm(height, transactions));
    this.attempt(side, () => side.node.confirm(this.chain.height, []));
  }
}
