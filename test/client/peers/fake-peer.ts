import { localFeatures } from '../../../worker/client/peers/local-features.ts';
import { initMessage } from '../../../worker/client/peers/peer-init.ts';
import type { PeerHandlers } from '../../../worker/client/peers/peer-connection.ts';
import { PeerConnections } from '../../../worker/client/peers/peer-connections.ts';
import type { PeerAddress, PeerStatus } from '../../../worker/client/api.ts';
import type { Connection, Transport, TransportHandlers } from '../../../worker/edges/transport/transport.ts';
import { NoiseSession } from '../../../worker/engine/peer/noise-session.ts';
import { concat, toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import type { DecodeResult, Message, MessageOf } from '../../../worker/engine/wire/message.ts';
import { decodeMessage, encodeMessage } from '../../../worker/engine/wire/message.ts';
import { FakeTimers } from '../../edges/transport/fake-timers.ts';

export const chainHash = new Uint8Array(32).fill(7);
const ourSecret = new Uint8Array(32).fill(1);
const peerSecret = new Uint8Array(32).fill(2);
export const peerId = toHex(secp.publicKey(peerSecret));
export const peerAddress: PeerAddress = { kind: 'websocket', url: 'wss://peer.example' };

/** One connection, seen from the network's side: a Lightning node that does as it is told. */
export class FakeConnection implements Connection {
  readonly address: PeerAddress;
  readonly sent: Uint8Array[] = [];
  isClosed = false;
  readonly #handlers: TransportHandlers;
  readonly #session: NoiseSession;
  #read = 0;

  constructor(address: PeerAddress, handlers: TransportHandlers, secret: Uint8Array) {
    this.address = address;
    this.#handlers = handlers;
    const local = { publicKey: secp.publicKey(secret), ecdh: (point: Uint8Array) => secp.ecdh(secret, point) };
    this.#session = NoiseSession.respond(secp, local, new Uint8Array(32).fill(9));
  }

  send(bytes: Uint8Array): void {
    if (!this.isClosed) this.sent.push(bytes);
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.#handlers.opened();
  }

  /** Reads what was sent since the last call; during the handshake it answers. */
  read(): readonly DecodeResult[] {
    const bytes = concat(...this.sent.slice(this.#read));
    this.#read = this.sent.length;
    const { send, messages, broken } = this.#session.push(bytes);
    for (const act of send) this.#handlers.data(act);
    if (broken !== undefined) this.drop();
    return messages.map(decodeMessage);
  }

  /** Handshake up to our `init`. */
  shakeHands(): readonly DecodeResult[] {
    this.open();
    this.read();
    return this.read();
  }

  greet(init: Partial<MessageOf<'init'>> = {}): void {
    this.shakeHands();
    this.say({ ...initMessage(localFeatures, chainHash), ...init });
  }

  /** Sends messages in one chunk. */
  say(...messages: readonly Message[]): void {
    this.saySealed(...messages.map(encodeMessage));
  }

  saySealed(...messages: readonly Uint8Array[]): void {
    this.receive(concat(...messages.map((message) => this.#session.seal(message))));
  }

  receive(bytes: Uint8Array): void {
    if (!this.isClosed) this.#handlers.data(bytes);
  }

  /** The network ends the connection. */
  drop(problem?: GlowwormError): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (problem === undefined) this.#handlers.closed();
    else this.#handlers.closed(problem);
  }
}

export class FakeTransport implements Transport {
  readonly connections: FakeConnection[] = [];
  /** Whose node answers. */
  secret: Uint8Array = peerSecret;

  connect(address: PeerAddress, handlers: TransportHandlers): Connection {
    const connection = new FakeConnection(address, handlers, this.secret);
    this.connections.push(connection);
    return connection;
  }

  get latest(): FakeConnection {
    const latest = this.connections.at(-1);
    if (latest === undefined) throw new Error('nothing was connected');
    return latest;
  }
}

/** Connections on a fake platform, and all that they reported. */
export function setUp(overrides: Partial<PeerHandlers> = {}) {
  const timers = new FakeTimers();
  const transport = new FakeTransport();
  const heard: string[] = [];
  const statuses: PeerStatus[] = [];
  const logged: string[] = [];
  let counter = 0;
  const peers = new PeerConnections({
    secp,
    staticKey: { nodeId: secp.publicKey(ourSecret), ecdh: (point) => secp.ecdh(ourSecret, point) },
    // Half of the range: a jitter of about 1.
    entropy: { getSecureRandomBytes: () => new Uint8Array(32).fill(0x7f).fill(++counter, 2) },
    transport,
    timers,
    localFeatures,
    chainHash,
    handlers: {
      connected: (_nodeId, id) => heard.push(`connected ${id}`),
      disconnected: (_nodeId, id) => heard.push(`disconnected ${id}`),
      message: (_nodeId, id, message) => heard.push(`${message.kind} ${id}`),
      status: (_nodeId, status) => statuses.push(status),
      log: (line) => logged.push(line),
      ...overrides,
    },
  });
  /** Lets time pass, with a tick each second. */
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 1_000) {
      timers.advance(Math.min(left, 1_000));
      peers.timerTick();
    }
  };
  return { timers, pass, transport, peers, heard, statuses, logged };
}
