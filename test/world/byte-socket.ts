import { WebSocket } from 'ws';

/** The client's end of a WebSocket that carries bytes, as a test looks at it. */
export class ByteSocket {
  readonly opened: Promise<void>;
  /** Resolves when the connection has ended, however it did. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #chunks: Buffer[] = [];
  #onBytes: () => void = () => undefined;

  constructor(url: string) {
    this.#socket = new WebSocket(url);
    this.opened = new Promise((resolve, reject) => {
      this.#socket.once('open', () => resolve());
      this.#socket.once('error', reject);
    });
    // A test that expects a refusal looks at `opened`, one that does not would otherwise die of the rejection.
    this.opened.catch(() => undefined);
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.on('error', () => undefined);
    this.#socket.on('message', (message) => {
      if (Buffer.isBuffer(message)) this.#chunks.push(message);
      this.#onBytes();
    });
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** Resolves with what was received once it is at least `count` bytes. */
  bytes(count: number): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#onBytes = () => {
        if (this.received.length >= count) resolve(this.received);
      };
      this.#onBytes();
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}
