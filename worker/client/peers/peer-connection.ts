import { Backoff } from '../../edges/chain/backoff.ts';
import { toHex } from '../../engine/primitives/bytes.ts';
import { GlowwormError } from '../../engine/primitives/errors.ts';
import type { FeatureSet } from '../../engine/wire/features.ts';
import type { Message } from '../../engine/wire/message.ts';
import type { PeerAddress, PeerStatus } from '../api.ts';
import { spokenProblem } from './peer-problem.ts';
import type { SessionPorts } from './peer-session.ts';
import { PeerSession } from './peer-session.ts';

/** What the wallet hears of its peers. A connection's id is never used again. */
export interface PeerHandlers {
  /** Both sides' `init` have been exchanged. */
  connected(nodeIdHex: string, connectionId: number, theirFeatures: FeatureSet): void;
  /** Once for each `connected`. */
  disconnected(nodeIdHex: string, connectionId: number): void;
  /** Between the two, in the order of arrival; all messages of one chunk come in one go. */
  message(nodeIdHex: string, connectionId: number, message: Message): void;
  status(nodeIdHex: string, status: PeerStatus): void;
  /** Without secrets. */
  log(line: string): void;
}

export interface PeerPorts extends SessionPorts {
  readonly handlers: PeerHandlers;
}

const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 60_000;
/** A connection that lasted so long starts the waiting times over. */
const STABLE_MS = 60_000;

/** One peer that we want to stay connected with: at most one session at a time, and a next one after it. */
export class PeerConnection {
  readonly address: PeerAddress;
  readonly #ports: PeerPorts;
  readonly #nodeId: Uint8Array;
  readonly #nodeIdHex: string;
  readonly #nextConnectionId: () => number;
  readonly #backoff: Backoff = new Backoff(FIRST_RETRY_MS, MOST_RETRY_MS);
  #session: PeerSession | undefined;
  #connectionId = 0;
  /** Present exactly while the session is ready. */
  #readySince: number | undefined;
  /** The peer has said in this session what it does not like. */
  #hasSpoken = false;
  #retry: unknown;
  #problem: GlowwormError | undefined;

  constructor(ports: PeerPorts, nodeId: Uint8Array, address: PeerAddress, nextConnectionId: () => number) {
    this.#ports = ports;
    this.#nodeId = nodeId;
    this.#nodeIdHex = toHex(nodeId);
    this.address = address;
    this.#nextConnectionId = nextConnectionId;
  }

  get status(): PeerStatus {
    const state =
      this.#session === undefined ? 'disconnected' : this.#readySince === undefined ? 'connecting' : 'connected';
    if (this.#problem === undefined) return { nodeId: this.#nodeIdHex, state };
    const { code, message, details } = this.#problem;
    return { nodeId: this.#nodeIdHex, state, problem: { code, message, details } };
  }

  /** Connects now, or finds out whether the connection still lives. */
  wake(): void {
    if (this.#session !== undefined) return this.#session.ping();
    this.#backoff.succeeded();
    this.#connect();
  }

  /** As `PeerSession.timerTick`. */
  timerTick(): void {
    this.#session?.timerTick();
  }

  send(connectionId: number, message: Message): void {
    if (connectionId === this.#connectionId) this.#guarded('sent', () => this.#session?.send(message));
  }

  /** Ends that session, if it is the present one, and begins another after the usual wait; `reason` goes to the log. */
  disconnect(connectionId: number, reason: string): void {
    const session = this.#session;
    if (session === undefined || connectionId !== this.#connectionId) return;
    this.#log(`disconnecting: ${reason}`);
    session.end();
    this.#ended(undefined);
  }

  /** Ends the session for good. */
  close(): void {
    this.#ports.timers.clearTimeout(this.#retry);
    this.#session?.end();
    this.#leave();
    this.#report();
  }

  #connect(): void {
    this.#ports.timers.clearTimeout(this.#retry);
    this.#connectionId = this.#nextConnectionId();
    this.#hasSpoken = false;
    try {
      this.#session = new PeerSession(this.#ports, this.#nodeId, this.address, {
        ready: (theirFeatures) => this.#ready(theirFeatures),
        message: (message) => this.#message(message),
        ended: (problem) => this.#ended(problem),
      });
    } catch (error) {
      if (!(error instanceof GlowwormError)) throw error;
      return this.#ended(error);
    }
    this.#report();
  }

  #ready(theirFeatures: FeatureSet): void {
    this.#readySince = this.#ports.timers.now();
    // What the peer itself said stays until it says something else: after an error it often just reconnects.
    if (this.#problem?.code !== 'PeerError' && this.#problem?.code !== 'PeerWarning') this.#problem = undefined;
    this.#log('connected');
    this.#report();
    this.#guarded('handled', () => this.#ports.handlers.connected(this.#nodeIdHex, this.#connectionId, theirFeatures));
  }

  #message(message: Message): void {
    if (message.kind === 'error' || message.kind === 'warning') {
      this.#hasSpoken = true;
      this.#problem = spokenProblem(message);
      this.#log(this.#problem.message);
      this.#report();
    }
    if (this.#readySince !== undefined)
      this.#guarded('handled', () => this.#ports.handlers.message(this.#nodeIdHex, this.#connectionId, message));
  }

  #ended(problem: GlowwormError | undefined): void {
    // A peer that said why it refuses us, and then closed, has said more than we can guess.
    if (problem !== undefined && !(this.#hasSpoken && problem.code === 'PeerHandshakeFailed')) this.#problem = problem;
    const { timers } = this.#ports;
    if (this.#readySince !== undefined && timers.now() - this.#readySince >= STABLE_MS) this.#backoff.succeeded();
    const delayMs = Math.round(this.#backoff.failed() * this.#jitter());
    const why = problem === undefined ? '' : ` (${problem.code}: ${problem.message})`;
    this.#log(`not connected${why}, next attempt in ${delayMs} ms`);
    timers.clearTimeout(this.#retry);
    this.#retry = timers.setTimeout(() => this.#connect(), delayMs);
    this.#leave();
    this.#report();
  }

  /** Forgets the session, and says so to whoever heard that it was ready. */
  #leave(): void {
    const wasReady = this.#readySince !== undefined;
    this.#session = undefined;
    this.#readySince = undefined;
    if (wasReady) this.#ports.handlers.disconnected(this.#nodeIdHex, this.#connectionId);
  }

  /**
   * A message that could not be handled, or not be sent, is lost, and what follows it builds on it: only a new connection,
   * which starts with `channel_reestablish`, can repair that.
   */
  #guarded(done: 'handled' | 'sent', work: () => void): void {
    const connectionId = this.#connectionId;
    try {
      work();
    } catch (error) {
      const what = error instanceof GlowwormError ? error.code : error instanceof Error ? error.name : 'unknown';
      this.disconnect(connectionId, `a message could not be ${done} (${what})`);
    }
  }

  /** 0.75 to 1.25, so that the wallets of a node that comes back do not all return in the same second. */
  #jitter(): number {
    const [high = 0, low = 0] = this.#ports.entropy.getSecureRandomBytes();
    return 0.75 + ((high << 8) | low) / 0x1_fffe;
  }

  #report(): void {
    this.#ports.handlers.status(this.#nodeIdHex, this.status);
  }

  #log(line: string): void {
    this.#ports.handlers.log(`peer ${this.#nodeIdHex.slice(0, 8)}: ${line}`);
  }
}
