import { exposeWallet, type EndpointHost } from '../../worker/client/endpoint.ts';

/** A `Worker` whose other side is served in this thread, over a real MessageChannel. */
export class ChannelWorker extends EventTarget {
  readonly #here: MessagePort;
  readonly #there: MessagePort;
  terminated = false;

  /** Without a host nobody answers. */
  constructor(host?: EndpointHost) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.#here = port1;
    this.#there = port2;
    port1.addEventListener('message', (event) => this.dispatchEvent(new MessageEvent('message', { data: event.data })));
    port1.start();
    if (host !== undefined) exposeWallet(port2, host);
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#here.postMessage(message, transfer);
  }

  terminate(): void {
    this.terminated = true;
    this.#here.close();
    this.#there.close();
  }

  fail(message: string): void {
    this.dispatchEvent(Object.assign(new Event('error'), { message }));
  }

  asWorker(): Worker {
    return this as unknown as Worker;
  }
}
