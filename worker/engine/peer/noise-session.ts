import { assert, GlowwormError } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { Act, AwaitingActOne, AwaitingActThree, AwaitingActTwo, StaticKey, TransportKeys } from './noise.ts';
import { ACT_BYTES, awaitActOne, readActOne, readActThree, readActTwo, writeActOne } from './noise.ts';
import type { Received } from './noise-transport.ts';
import { NoiseTransport } from './noise-transport.ts';

/** What a chunk of bytes led to. `broken` is `BadHandshake` or `BadMac`: the connection is to be dropped. */
export interface SessionOutput extends Received {
  /** Bytes of the handshake, to be sent before anything else. */
  readonly send: readonly Uint8Array[];
  /** The peer's node id, once: with the chunk that completed the handshake. */
  readonly established?: Uint8Array;
}

/**
 * A connection from its first byte: handshake, then messages (BOLT 8). Bytes come in however they are cut, and a peer's
 * first messages may come in one chunk with the end of its handshake.
 */
export class NoiseSession {
  readonly #secp: Secp256k1;
  readonly #act: Uint8Array[] = [];
  #state: SessionState;

  private constructor(secp: Secp256k1, state: SessionState) {
    this.#secp = secp;
    this.#state = state;
  }

  /** Starts a handshake with the node whose id this is; `act` is to be sent. Throws `BadHandshake` for an id that is no point. */
  static initiate(
    secp: Secp256k1,
    local: StaticKey,
    remoteStatic: Uint8Array,
    ephemeralSecret: Uint8Array,
  ): { readonly session: NoiseSession; readonly act: Uint8Array } {
    const { act, state } = writeActOne(secp, local, remoteStatic, ephemeralSecret);
    return { session: new NoiseSession(secp, { kind: 'initiator', state, remoteStatic }), act };
  }

  /** Waits for a handshake. */
  static respond(secp: Secp256k1, local: StaticKey, ephemeralSecret: Uint8Array): NoiseSession {
    return new NoiseSession(secp, { kind: 'responder', state: awaitActOne(local, ephemeralSecret) });
  }

  /** Takes any number of received bytes. Never throws on what a peer sends. */
  push(chunk: Uint8Array): SessionOutput {
    const send: Uint8Array[] = [];
    let rest = chunk;
    let established: { readonly established?: Uint8Array } = {};
    while (isHandshake(this.#state) && rest.length > 0) {
      const { act, left } = this.#collect(rest, ACT_BYTES[awaitedAct(this.#state)]);
      rest = left;
      if (act === undefined) break;
      const step = this.#step(this.#state, act);
      this.#state = step.next;
      if (step.send !== undefined) send.push(step.send);
      if (step.next.kind === 'established') established = { established: step.next.remoteStatic };
    }
    return { send, ...established, ...this.#receive(rest) };
  }

  /** The frame of a message. Throws `InvariantBroken` before the handshake is complete. */
  seal(message: Uint8Array): Uint8Array {
    assert(this.#state.kind === 'established', 'handshake is complete');
    return this.#state.transport.seal(message);
  }

  #receive(rest: Uint8Array): Received {
    if (this.#state.kind === 'established') return this.#state.transport.push(rest);
    return this.#state.kind === 'broken' ? { messages: [], broken: this.#state.error } : { messages: [] };
  }

  #collect(bytes: Uint8Array, wanted: number): { readonly act: Uint8Array | undefined; readonly left: Uint8Array } {
    const have = this.#act.reduce((sum, part) => sum + part.length, 0);
    this.#act.push(bytes.slice(0, wanted - have));
    if (have + bytes.length < wanted) return { act: undefined, left: new Uint8Array(0) };
    const act = Uint8Array.from(this.#act.flatMap((part) => [...part]));
    this.#act.length = 0;
    return { act, left: bytes.subarray(wanted - have) };
  }

  #step(current: Handshake, act: Uint8Array): Step {
    try {
      return current.kind === 'initiator' ? this.#finishInitiator(current, act) : this.#stepResponder(current, act);
    } catch (error) {
      if (error instanceof GlowwormError && error.code === 'BadHandshake') return { next: { kind: 'broken', error } };
      throw error;
    }
  }

  #finishInitiator({ state, remoteStatic }: Initiator, act: Uint8Array): Step {
    const { act: send, keys } = readActTwo(this.#secp, state, act);
    return { next: established(keys, remoteStatic), send };
  }

  #stepResponder({ state }: Responder, act: Uint8Array): Step {
    if (state.kind === 'awaitingActOne') {
      const { act: send, state: next } = readActOne(this.#secp, state, act);
      return { next: { kind: 'responder', state: next }, send };
    }
    const { keys, remoteStatic } = readActThree(this.#secp, state, act);
    return { next: established(keys, remoteStatic) };
  }
}

interface Initiator {
  readonly kind: 'initiator';
  readonly state: AwaitingActTwo;
  readonly remoteStatic: Uint8Array;
}

interface Responder {
  readonly kind: 'responder';
  readonly state: AwaitingActOne | AwaitingActThree;
}

type Handshake = Initiator | Responder;

type SessionState =
  | Handshake
  | { readonly kind: 'established'; readonly transport: NoiseTransport; readonly remoteStatic: Uint8Array }
  | { readonly kind: 'broken'; readonly error: GlowwormError };

interface Step {
  readonly next: SessionState;
  readonly send?: Uint8Array;
}

const isHandshake = (state: SessionState): state is Handshake =>
  state.kind === 'initiator' || state.kind === 'responder';

const awaitedAct = ({ state }: Handshake): Act =>
  state.kind === 'awaitingActOne' ? 1 : state.kind === 'awaitingActTwo' ? 2 : 3;

const established = (keys: TransportKeys, remoteStatic: Uint8Array): SessionState => ({
  kind: 'established',
  transport: new NoiseTransport(keys),
  remoteStatic,
});
