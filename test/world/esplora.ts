import { setTimeout as delay } from 'node:timers/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { RegtestChain } from './chain.ts';
import { esploraRoutes, type EsploraRoute, type ServedSettings } from './esplora-routes.ts';
import { EsploraFaults } from './esplora-faults.ts';
import { CORS, close, listen, readBody, type Reply, replyServer, text } from './http-server.ts';

/** Feerates in sat/vB by confirmation target in blocks. */
export type FeeEstimates = Readonly<Record<number, number>>;

export const CALM_FEES: FeeEstimates = Object.fromEntries(
  [...Array.from({ length: 25 }, (_, i) => i + 1), 144, 504, 1008].map((target) => [target, calmFee(target)]),
);

/** An Esplora server over the regtest chain, with Blockstream's published API, that fails when it is told to. */
export class EsploraServer implements ServedSettings {
  readonly faults: EsploraFaults = new EsploraFaults();
  feeEstimates: FeeEstimates = CALM_FEES;
  packages = true;
  readonly #routes: readonly EsploraRoute[];
  readonly #server: Server;
  readonly #requests = new Map<string, number>();
  #port = 0;

  constructor(chain: RegtestChain) {
    this.#routes = esploraRoutes(chain, this);
    this.#server = replyServer((request, response) => this.#handle(request, response));
  }

  async listen(port = 0): Promise<number> {
    this.#port = await listen(this.#server, port);
    return this.#port;
  }

  stop(): Promise<void> {
    return close(this.#server);
  }

  /** Without a trailing slash; `/api` may follow. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** How often each route was asked for since the last reset, faults included; `other` is what no route matches. */
  get requests(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#requests);
  }

  resetRequests(): void {
    this.#requests.clear();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<Reply | undefined> {
    const path = new URL(request.url ?? '/', 'http://esplora').pathname.replace(/^\/api(?=\/)/, '');
    const route = this.#routes.find((candidate) => candidate.method === request.method && candidate.path.test(path));
    const name = route?.name ?? 'other';
    this.#requests.set(name, (this.#requests.get(name) ?? 0) + 1);
    const body = await readBody(request);
    const fault = this.faults.take(path);
    switch (fault?.kind) {
      case 'drop':
        request.socket.destroy();
        return undefined;
      case 'hang':
        return undefined;
      case 'answer':
        response.writeHead(fault.status, { ...CORS, 'Content-Type': fault.type ?? 'text/plain' }).end(fault.body ?? '');
        return undefined;
      case 'delay':
        await delay(fault.ms);
        break;
      case undefined:
        break;
      default:
        fault satisfies never;
    }
    if (route === undefined) return text(404, `endpoint does not exist "${path}"`);
    return route.reply(route.path.exec(path)?.slice(1) ?? [], body);
  }
}

function calmFee(target: number): number {
  if (target <= 2) return 10;
  if (target <= 6) return 5;
  return target <= 25 ? 2 : 1;
}
