import { describe, expect, it } from 'vitest';
import type { WebSocketPort } from '../../../worker/edges/transport/websocket-transport.ts';
import {
  CONNECT_TIMEOUT_MS,
  MAX_BUFFERED_BYTES,
  WebSocketTransport,
} from '../../../worker/edges/transport/websocket-transport.ts';
import { FakeTimers } from './fake-timers.ts';

type Event = { readonly data: unknown };

class FakeSocket implements WebSocketPort {
  binaryType = 'blob';
  readyState = 0;
  bufferedAmount = 0;
  readonly url: string;
  readonly sent: Uint8Array[] = [];
  readonly #listeners = new Map<string, (event: Event) => void>();

  constructor(url: string) {
    this.url = url;
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
  }

  close(): void {
    this.readyState = 3;
  }

  addEventListener(kind: string, listener: (event: Event) => void): void {
    this.#listeners.set(kind, listener);
  }

  emit(kind: 'open' | 'close' | 'error' | 'message', data?: unknown): void {
    if (kind === 'open') this.readyState = 1;
    if (kind === 'close') this.readyState = 3;
    this.#listeners.get(kind)?.({ data });
  }
}

const connect = () => {
  const timers = new FakeTimers();
  const sockets: FakeSocket[] = [];
  const transport = new WebSocketTransport({
    timers,
    connectWebSocket: (url) => {
      const socket = new FakeSocket(url);
      sockets.push(socket);
      return socket;
    },
  });
  const heard: unknown[] = [];
  const connection = transport.connect(
    { kind: 'websocket', url: 'wss://node.example' },
    {
      opened: () => heard.push('opened'),
      data: (bytes) => heard.push([...bytes]),
      closed: (problem) => heard.push(problem === undefined ? 'closed' : problem.code),
    },
  );
  const [socket] = sockets;
  if (socket === undefined) throw new Error('no socket was made');
  return { timers, socket, connection, heard };
};

describe('WebSocket transport', () => {
  it('carries bytes both ways until it is closed', () => {
    const { timers, socket, connection, heard } = connect();
    expect([socket.url, socket.binaryType]).toEqual(['wss://node.example/', 'arraybuffer']);
    socket.emit('open');
    expect(timers.pending).toBe(0);
    connection.send(Uint8Array.of(1, 2, 3).subarray(1));
    socket.emit('message', Uint8Array.of(4).buffer);
    socket.emit('close');
    socket.emit('message', Uint8Array.of(5).buffer);
    expect(socket.sent).toEqual([Uint8Array.of(2, 3)]);
    expect(heard).toEqual(['opened', [4], 'closed']);
  });

  it('gives up on a server that never answers', () => {
    const { timers, socket, heard } = connect();
    timers.advance(CONNECT_TIMEOUT_MS);
    socket.emit('open');
    expect(heard).toEqual(['PeerUnreachable']);
    expect(socket.readyState).toBe(1);
  });

  it('is unreachable when it is refused', () => {
    const { timers, socket, heard } = connect();
    socket.emit('error');
    socket.emit('close');
    expect(heard).toEqual(['PeerUnreachable']);
    expect(timers.pending).toBe(0);
  });

  it('takes a text frame for an error', () => {
    const { socket, heard } = connect();
    socket.emit('open');
    socket.emit('message', 'hello');
    socket.emit('close');
    expect(heard).toEqual(['opened', 'PeerUnreachable']);
    expect(socket.readyState).toBe(3);
  });

  it('says nothing any more once it was closed here', () => {
    const { timers, socket, connection, heard } = connect();
    connection.close();
    socket.emit('open');
    socket.emit('message', Uint8Array.of(1).buffer);
    socket.emit('close');
    timers.advance(CONNECT_TIMEOUT_MS);
    expect(heard).toEqual([]);
  });

  it('drops what is sent while it is not open', () => {
    const { socket, connection } = connect();
    connection.send(Uint8Array.of(1));
    socket.emit('open');
    socket.emit('close');
    connection.send(Uint8Array.of(2));
    expect(socket.sent).toEqual([]);
  });

  it('ends a connection that takes no more bytes', () => {
    const { socket, connection, heard } = connect();
    socket.emit('open');
    socket.bufferedAmount = MAX_BUFFERED_BYTES - 1;
    connection.send(Uint8Array.of(1));
    expect(heard).toEqual(['opened']);
    connection.send(Uint8Array.of(1, 2));
    expect(heard).toEqual(['opened', 'PeerUnreachable']);
    expect(socket.sent).toEqual([Uint8Array.of(1)]);
  });

  it('names an address that the browser forbids', () => {
    const transport = new WebSocketTransport({
      timers: new FakeTimers(),
      connectWebSocket: () => {
        throw new DOMException('mixed content', 'SecurityError');
      },
    });
    const handlers = { opened: () => undefined, data: () => undefined, closed: () => undefined };
    expect(() => transport.connect({ kind: 'websocket', url: 'ws://node.example' }, handlers)).toThrow(
      expect.objectContaining({ code: 'AddressInvalid' }),
    );
  });
});
