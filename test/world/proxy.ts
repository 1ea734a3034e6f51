import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { close, listen } from './http-server.ts';

export type ProxyDirection = 'toPeer' | 'toClient';

/** How the proxy treats connections. Faults other than a limit hold for those that are made while they are set. */
export type ProxyFault =
  | { readonly kind: 'none' }
  /** Accepts the WebSocket and stays silent for good. */
  | { readonly kind: 'silent' }
  /** Answers the upgrade with HTTP 503. */
  | { readonly kind: 'refuse' }
  /** Breaks each connection, open ones included, once this much more has passed in one direction. */
  | {
      readonly kind: 'limit';
      readonly direction: ProxyDirection;
      readonly unit: 'bytes' | 'messages';
      readonly count: number;
    };

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost']);

/**
 * A WebSocket-to-TCP proxy as public ones are: `{url}/v1/{host with _ for .}/{port}` and `{url}/{host}:{port}`. It
 * reaches nothing but this machine.
 */
export class WebSocketProxy {
  readonly #server: Server;
  readonly #webSockets = new WebSocketServer({ noServer: true });
  readonly #links = new Set<ProxyLink>();
  #fault: ProxyFault = { kind: 'none' };
  #port = 0;

  constructor() {
    this.#server = createServer((_request, response) => void response.writeHead(426).end('WebSocket only'));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
  }

  async listen(port = 0): Promise<number> {
    this.#port = await listen(this.#server, port);
    return this.#port;
  }

  async stop(): Promise<void> {
    this.drop();
    this.#webSockets.close();
    await close(this.#server);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  get fault(): ProxyFault {
    return this.#fault;
  }

  set fault(fault: ProxyFault) {
    this.#fault = fault;
    for (const link of this.#links) link.limit(fault);
  }

  /** Connections that are open now, silent ones included. */
  get connections(): number {
    return this.#links.size;
  }

  /** Breaks every connection now. */
  drop(): void {
    for (const link of this.#links) link.drop();
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const target = proxyTarget(request.url ?? '/');
    if (target === undefined) return refuse(socket, '403 Forbidden');
    if (this.#fault.kind === 'refuse') return refuse(socket, '503 Service Unavailable');
    this.#webSockets.handleUpgrade(request, socket, head, (client) => {
      const link = new ProxyLink(client, this.#fault.kind === 'silent' ? undefined : target, () => {
        this.#links.delete(link);
      });
      this.#links.add(link);
      link.limit(this.#fault);
    });
  }
}

/** Where a request's path leads, if the proxy may go there. */
export function proxyTarget(path: string): ProxyTarget | undefined {
  const v1 = /^\/v1\/([a-z0-9_-]+)\/(\d{1,5})$/i.exec(path);
  const plain = /^\/([a-z0-9.-]+):(\d{1,5})$/i.exec(path.replace(/%3a/i, ':'));
  const host = v1?.[1]?.replaceAll('_', '.') ?? plain?.[1];
  const port = Number(v1?.[2] ?? plain?.[2]);
  return host !== undefined && LOOPBACK.has(host) && port > 0 && port < 65_536 ? { host, port } : undefined;
}

/** One WebSocket and, unless it is to stay silent, its TCP connection. */
class ProxyLink {
  readonly #client: WebSocket;
  readonly #peer: Socket | undefined;
  #limit: ProxyFault = { kind: 'none' };
  #passed = 0;

  constructor(client: WebSocket, target: ProxyTarget | undefined, onClose: () => void) {
    this.#client = client;
    this.#peer = target === undefined ? undefined : connect(target);
    client.on('error', () => undefined);
    client.on('close', () => {
      this.#peer?.destroy();
      onClose();
    });
    client.on('message', (message) => {
      if (Buffer.isBuffer(message)) this.#pass('toPeer', message, (bytes) => void this.#peer?.write(bytes));
    });
    this.#peer?.setNoDelay(true);
    this.#peer?.on('error', () => undefined);
    this.#peer?.on('data', (data) => this.#pass('toClient', data, (bytes) => client.send(bytes)));
    this.#peer?.on('close', () => client.close());
  }

  limit(fault: ProxyFault): void {
    this.#limit = fault;
    this.#passed = 0;
  }

  drop(): void {
    this.#peer?.destroy();
    this.#client.terminate();
  }

  #pass(direction: ProxyDirection, bytes: Buffer, send: (bytes: Buffer) => void): void {
    const limit = this.#limit;
    if (limit.kind !== 'limit' || limit.direction !== direction) return send(bytes);
    const room = limit.count - this.#passed;
    this.#passed += limit.unit === 'bytes' ? bytes.length : 1;
    if (limit.unit === 'bytes' && room > 0) send(bytes.subarray(0, room));
    else if (room > 0) send(bytes);
    if (this.#passed < limit.count) return;
    // What was sent before the limit still arrives: end both sides instead of destroying them.
    this.#peer?.end();
    this.#client.close();
  }
}

function refuse(socket: Socket, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
