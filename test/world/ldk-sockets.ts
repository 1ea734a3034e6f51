import { createServer, connect, type Server, type Socket } from 'node:net';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { close, listen } from './http-server.ts';
import { guarded, ldk, unhex } from './ldk.ts';

/** A byte stream to a peer. */
interface Stream {
  send(bytes: Uint8Array): void;
  close(): void;
  pause(): void;
  resume(): void;
}

/** What the sockets ask of the node they belong to. */
export interface SocketOwner {
  peers(): ldk.PeerManager | undefined;
  turn(): void;
  onError(error: unknown): void;
}

/** The connections of an LDK node: TCP, and WebSockets whose binary frames carry the same bytes with no meaning of their own. */
export class LdkSockets {
  readonly #owner: SocketOwner;
  readonly #tcp: Server;
  readonly #http: HttpServer;
  readonly #webSockets: WebSocketServer;
  /** LDK throws when a descriptor has been collected, so open ones stay here. */
  readonly #open = new Map<bigint, { readonly stream: Stream; readonly descriptor: ldk.SocketDescriptor }>();
  #lastHandle = 0n;

  constructor(owner: SocketOwner) {
    this.#owner = owner;
    this.#tcp = createServer((socket) => this.#attachTcp(socket));
    this.#http = createHttpServer((_request, response) => void response.writeHead(426).end());
    this.#webSockets = new WebSocketServer({ server: this.#http });
    this.#webSockets.on('connection', (socket) => this.#attachWebSocket(socket));
  }

  listenTcp(port = 0): Promise<number> {
    return listen(this.#tcp, port);
  }

  listenWebSocket(port = 0): Promise<number> {
    return listen(this.#http, port);
  }

  connectTcp(nodeId: string, port: number, host = '127.0.0.1'): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host, () => {
        socket.off('error', reject);
        this.#attachTcp(socket, unhex(nodeId));
        resolve();
      });
      socket.once('error', reject);
    });
  }

  /** Breaks every connection, as a network failure would. */
  drop(): void {
    for (const { stream } of this.#open.values()) stream.close();
  }

  async stop(): Promise<void> {
    this.drop();
    this.#webSockets.close();
    await Promise.all([close(this.#tcp), close(this.#http)].map((closing) => closing.catch(() => undefined)));
  }

  #attachTcp(socket: Socket, outboundTo?: Uint8Array): void {
    socket.setNoDelay(true);
    const stream: Stream = {
      send: (bytes) => void socket.write(bytes),
      close: () => void socket.destroy(),
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
    };
    socket.on('error', () => undefined);
    const receiver = this.#attach(stream, outboundTo);
    socket.on('data', (bytes) => receiver.data(new Uint8Array(bytes)));
    socket.on('close', () => receiver.closed());
  }

  #attachWebSocket(socket: WebSocket): void {
    const stream: Stream = {
      send: (bytes) => socket.send(bytes),
      close: () => socket.terminate(),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
    };
    socket.on('error', () => undefined);
    const receiver = this.#attach(stream);
    socket.on('message', (message, isBinary) => {
      if (isBinary && Buffer.isBuffer(message)) receiver.data(new Uint8Array(message));
      else socket.close(1003);
    });
    socket.on('close', () => receiver.closed());
  }

  #attach(stream: Stream, outboundTo?: Uint8Array): { data(bytes: Uint8Array): void; closed(): void } {
    const peers = this.#owner.peers();
    const handle = ++this.#lastHandle;
    const descriptor = this.#descriptor(handle, stream);
    this.#open.set(handle, { stream, descriptor });
    const forget = (): boolean => this.#open.delete(handle);
    if (peers === undefined || !greet(peers, descriptor, stream, outboundTo)) {
      forget();
      stream.close();
    }
    // After a restart the old connections' last bytes belong to nobody.
    const isCurrent = (): boolean => this.#open.has(handle) && this.#owner.peers() === peers;
    return {
      data: (bytes) => {
        if (peers === undefined || !isCurrent()) return;
        if (!peers.read_event(descriptor, bytes).is_ok()) {
          forget();
          stream.close();
        }
        this.#owner.turn();
      },
      closed: () => {
        if (peers !== undefined && isCurrent()) peers.socket_disconnected(descriptor);
        if (forget()) this.#owner.turn();
      },
    };
  }

  #descriptor(handle: bigint, stream: Stream): ldk.SocketDescriptor {
    const onError = (error: unknown): void => this.#owner.onError(error);
    return ldk.SocketDescriptor.new_impl({
      send_data: (bytes, resumeReading) =>
        guarded(
          () => bytes.length,
          onError,
          () => {
            if (resumeReading) stream.resume();
            else stream.pause();
            stream.send(bytes);
            return bytes.length;
          },
        ),
      disconnect_socket: () =>
        guarded(
          () => undefined,
          onError,
          () => {
            this.#open.delete(handle);
            stream.close();
          },
        ),
      eq: (other) => other.hash() === handle,
      hash: () => handle,
    });
  }
}

function greet(
  peers: ldk.PeerManager,
  descriptor: ldk.SocketDescriptor,
  stream: Stream,
  outboundTo: Uint8Array | undefined,
): boolean {
  const noAddress = ldk.Option_SocketAddressZ.constructor_none();
  if (outboundTo === undefined) return peers.new_inbound_connection(descriptor, noAddress).is_ok();
  const opened = peers.new_outbound_connection(outboundTo, descriptor, noAddress);
  if (!(opened instanceof ldk.Result_CVec_u8ZPeerHandleErrorZ_OK)) return false;
  stream.send(opened.res);
  return true;
}
