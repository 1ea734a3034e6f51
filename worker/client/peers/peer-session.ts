import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Timers } from '../../edges/transport/timers.ts';
import type { Connection, Transport } from '../../edges/transport/transport.ts';
import type { EntropySource, NodeSigner } from '../../engine/keys/ports.ts';
import { NoiseSession } from '../../engine/peer/noise-session.ts';
import { GlowwormError } from '../../engine/primitives/errors.ts';
import { TokenBucket, type Allowance } from '../../engine/primitives/token-bucket.ts';
import type { Secp256k1 } from '../../engine/primitives/secp256k1.ts';
import { type FeatureSet, trimFeatures } from '../../engine/wire/features.ts';
import type { DecodeResult, Message, MessageOf } from '../../engine/wire/message.ts';
import { decodeMessage, encodeMessage } from '../../engine/wire/message.ts';
import { WireError } from '../../engine/wire/wire-error.ts';
import type { PeerAddress } from '../api.ts';
import { isSignOfLife, isUnusedGossip } from './gossip.ts';
import { checkInit, featuresOf, initMessage } from './peer-init.ts';
import { closedBeforeInit, closedInHandshake, misbehaved, peerProblem, silentPeer } from './peer-problem.ts';

/** What every connection to a peer is made with. */
export interface SessionPorts {
  readonly secp: Secp256k1;
  readonly staticKey: Pick<NodeSigner, 'nodeId' | 'ecdh'>;
  readonly entropy: EntropySource;
  readonly transport: Transport;
  readonly timers: Timers;
  readonly localFeatures: FeatureSet;
  /** 32 bytes, in the order of the wire. */
  readonly chainHash: Uint8Array;
}

export interface SessionHandlers {
  /** Both sides' `init` have been exchanged, and they fit. */
  ready(theirFeatures: FeatureSet): void;
  /** Of a ready peer; before that only an `error` or a `warning`. */
  message(message: Message): void;
  /** Once, unless `end` was called before; nothing follows it. Without a problem when a ready connection just ended. */
  ended(problem?: GlowwormError): void;
}

/** For the handshake and both `init`s together, from the moment when bytes can flow. */
export const HANDSHAKE_TIMEOUT_MS: number = 15_000;
export const PING_INTERVAL_MS: number = 30_000;
export const PONG_TIMEOUT_MS: number = 20_000;

/** BOLT 1: a ping that asks for this many bytes or more wants no answer. */
const NO_PONG_FROM = 65_532;
const PING_BYTES = 32;

/**
 * BOLT 1 wants every ping answered, by a pong of up to 65,531 bytes for six: this many of those that ask for more bytes than
 * they bring, which deployed nodes do once a minute. LDK pings after every 32 messages, so many times a second in heavy
 * traffic, and asks for nothing.
 */
export const PING_ALLOWANCE: Allowance = { burst: 20, refillMs: 5_000 };
/**
 * Of all kinds: each is decrypted, and the engine works for all peers in one thread. Many times what payments need, and
 * enough for gossip that comes unasked.
 */
export const MESSAGE_ALLOWANCE: Allowance = { burst: 20_000, refillMs: 1 };
/** Of errors and warnings: each is shown and logged, and the log must keep what others did. */
export const COMPLAINT_ALLOWANCE: Allowance = { burst: 50, refillMs: 10_000 };

/** One connection to one peer, from the transport's first byte to its last. */
export class PeerSession {
  readonly #ports: SessionPorts;
  readonly #nodeId: Uint8Array;
  readonly #handlers: SessionHandlers;
  readonly #connection: Connection;
  #phase: 'opening' | 'handshake' | 'init' | 'ready' | 'ended' = 'opening';
  #noise: NoiseSession | undefined;
  #handshakeTimer: unknown;
  /** When a ready peer last showed that it is there, or was pinged. */
  #quietSince = 0;
  #awaitsPong = false;
  readonly #messagesLeft: TokenBucket = new TokenBucket(MESSAGE_ALLOWANCE);
  readonly #pingsLeft: TokenBucket = new TokenBucket(PING_ALLOWANCE);
  readonly #complaintsLeft: TokenBucket = new TokenBucket(COMPLAINT_ALLOWANCE);

  /** Starts to connect. Throws `AddressInvalid`; calls no handler before it returns. */
  constructor(ports: SessionPorts, nodeId: Uint8Array, address: PeerAddress, handlers: SessionHandlers) {
    this.#ports = ports;
    this.#nodeId = nodeId;
    this.#handlers = handlers;
    this.#connection = ports.transport.connect(address, {
      opened: () => this.#opened(),
      data: (bytes) => this.#received(bytes),
      closed: (problem) => this.#closed(problem),
    });
  }

  get isReady(): boolean {
    return this.#phase === 'ready';
  }

  /** Drops the message unless the connection is ready. */
  send(message: Message): void {
    if (this.#phase === 'ready') this.#send(message);
  }

  /** Finds out whether a ready peer is still there: it ends unless something arrives in time. */
  ping(): void {
    if (this.#phase !== 'ready' || this.#awaitsPong) return;
    this.#awaitsPong = true;
    this.#quietSince = this.#ports.timers.now();
    this.#send({ kind: 'ping', numPongBytes: PING_BYTES, ignored: new Uint8Array(PING_BYTES), tlvs: {} });
  }

  /** Time passes: a peer that is quiet is pinged, and one that stays so is left. To be called about once a second. */
  timerTick(): void {
    if (this.#phase !== 'ready') return;
    const now = this.#ports.timers.now();
    // A clock that was put back would else keep a dead connection until it is there again.
    this.#quietSince = Math.min(this.#quietSince, now);
    const quietMs = now - this.#quietSince;
    if (!this.#awaitsPong && quietMs >= PING_INTERVAL_MS) this.ping();
    else if (this.#awaitsPong && quietMs >= PONG_TIMEOUT_MS) this.#end(silentPeer());
  }

  /** Closes the connection and calls no handler any more. */
  end(): void {
    this.#phase = 'ended';
    this.#ports.timers.clearTimeout(this.#handshakeTimer);
    this.#connection.close();
  }

  #opened(): void {
    const { secp, staticKey, entropy } = this.#ports;
    const local = { publicKey: staticKey.nodeId, ecdh: (point: Uint8Array) => staticKey.ecdh(point) };
    const { session, act } = NoiseSession.initiate(secp, local, this.#nodeId, entropy.getSecureRandomBytes());
    this.#noise = session;
    this.#phase = 'handshake';
    this.#handshakeTimer = this.#ports.timers.setTimeout(() => this.#end(silentPeer()), HANDSHAKE_TIMEOUT_MS);
    this.#connection.send(act);
  }

  /** Everything that a chunk completes is handed on in this call, in order. */
  #received(bytes: Uint8Array): void {
    if (this.#noise === undefined || this.#phase === 'ended') return;
    const { send, established, messages, broken } = this.#noise.push(bytes);
    for (const act of send) this.#connection.send(act);
    if (established !== undefined && !this.#hasEnded()) {
      this.#phase = 'init';
      this.#send(initMessage(this.#ports.localFeatures, this.#ports.chainHash));
    }
    for (const message of messages) this.#take(message);
    if (broken !== undefined && !this.#hasEnded()) this.#broken(broken);
  }

  #broken(error: GlowwormError): void {
    const handshake = this.#phase === 'handshake';
    this.#end(handshake ? peerProblem('PeerHandshakeFailed', error.message, error.details) : misbehaved(error.code));
  }

  #take(bytes: Uint8Array): void {
    if (this.#hasEnded()) return;
    if (!this.#messagesLeft.take(this.#ports.timers.now())) return this.#misbehaved('it sends more than can be read');
    if (isUnusedGossip(bytes)) return;
    const message = decoded(bytes);
    if (this.#phase === 'ready' && !(message instanceof WireError) && isSignOfLife(message.kind)) this.#alive();
    if (message instanceof WireError) this.#misbehaved(message.message);
    else if (this.#phase !== 'ready') this.#takeFirst(message);
    else this.#takeNext(message);
  }

  #takeFirst(message: DecodeResult): void {
    // A peer that does not want us may say why instead of greeting.
    if (message.kind === 'error' || message.kind === 'warning') return this.#complaint(message);
    if (message.kind !== 'init') return this.#misbehaved(`its first message is ${message.kind}, not init`);
    const { localFeatures, chainHash } = this.#ports;
    const problem = checkInit(message, localFeatures, chainHash);
    if (problem !== undefined) return this.#refuse(problem);
    this.#ports.timers.clearTimeout(this.#handshakeTimer);
    this.#phase = 'ready';
    this.#alive();
    this.#handlers.ready(trimFeatures(featuresOf(message)));
  }

  #takeNext(message: DecodeResult): void {
    switch (message.kind) {
      case 'unknown':
      case 'pong':
        return;
      case 'ping':
        return this.#pong(message);
      case 'init':
        return this.#misbehaved('a second init');
      case 'error':
      case 'warning':
        return this.#complaint(message);
      default:
        return this.#handlers.message(message);
    }
  }

  #complaint(message: MessageOf<'error'> | MessageOf<'warning'>): void {
    if (this.#complaintsLeft.take(this.#ports.timers.now())) this.#handlers.message(message);
    else this.#misbehaved('it complains without end');
  }

  #pong({ numPongBytes, ignored }: MessageOf<'ping'>): void {
    if (numPongBytes > ignored.length && !this.#pingsLeft.take(this.#ports.timers.now()))
      return this.#misbehaved('it pings without end');
    if (numPongBytes < NO_PONG_FROM) this.#send({ kind: 'pong', ignored: new Uint8Array(numPongBytes), tlvs: {} });
  }

  /** Whatever it says to us shows that the peer is there, and its pong may stand behind a lot of it. */
  #alive(): void {
    this.#awaitsPong = false;
    this.#quietSince = this.#ports.timers.now();
  }

  #misbehaved(what: string): void {
    this.#refuse(misbehaved(what));
  }

  #refuse(problem: GlowwormError): void {
    const data = utf8ToBytes(problem.message);
    this.#send({ kind: 'warning', channelId: new Uint8Array(32), data, tlvs: {} });
    this.#end(problem);
  }

  #send(message: Message): void {
    if (this.#noise !== undefined && !this.#hasEnded()) this.#connection.send(this.#noise.seal(encodeMessage(message)));
  }

  #closed(problem: GlowwormError | undefined): void {
    if (problem !== undefined || this.#phase === 'ready') this.#end(problem);
    else this.#end(this.#phase === 'init' ? closedBeforeInit() : closedInHandshake());
  }

  #end(problem: GlowwormError | undefined): void {
    if (this.#hasEnded()) return;
    this.end();
    if (problem === undefined) this.#handlers.ended();
    else this.#handlers.ended(problem);
  }

  /** A method, because a handler may have ended the session since the last look. */
  #hasEnded(): boolean {
    return this.#phase === 'ended';
  }
}

function decoded(bytes: Uint8Array): DecodeResult | WireError {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}
